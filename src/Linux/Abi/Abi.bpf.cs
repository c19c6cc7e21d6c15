namespace Isolation.Linux;

internal static partial class Abi
{
    // linux/bpf.h: commands, kinds of programs, places and ways to attach
    internal const int BPF_PROG_LOAD = 5;
    internal const int BPF_PROG_ATTACH = 8;
    internal const int BPF_PROG_DETACH = 9;
    internal const int BPF_PROG_GET_FD_BY_ID = 13;
    internal const int BPF_OBJ_GET_INFO_BY_FD = 15;
    internal const int BPF_PROG_QUERY = 16;
    internal const uint BPF_PROG_TYPE_CGROUP_DEVICE = 15;
    internal const uint BPF_CGROUP_DEVICE = 6;
    internal const uint BPF_F_ALLOW_MULTI = 2;
    internal const uint BPF_F_REPLACE = 4; // Linux 5.6
    internal const int BPF_OBJ_NAME_LEN = 16;

    // linux/bpf.h: what a program of a control group's devices is asked about
    internal const int BPF_DEVCG_ACC_MKNOD = 1;
    internal const int BPF_DEVCG_ACC_READ = 2;
    internal const int BPF_DEVCG_ACC_WRITE = 4;
    internal const int BPF_DEVCG_DEV_BLOCK = 1;
    internal const int BPF_DEVCG_DEV_CHAR = 2;

    // linux/bpf_common.h and linux/bpf.h: the parts of an operation's code
    internal const byte BPF_LDX = 0x01;
    internal const byte BPF_ALU = 0x04;
    internal const byte BPF_JMP = 0x05;
    internal const byte BPF_ALU64 = 0x07;
    internal const byte BPF_W = 0x00;
    internal const byte BPF_MEM = 0x60;
    internal const byte BPF_K = 0x00;
    internal const byte BPF_X = 0x08;
    internal const byte BPF_AND = 0x50;
    internal const byte BPF_RSH = 0x70;
    internal const byte BPF_MOV = 0xb0;
    internal const byte BPF_JA = 0x00;
    internal const byte BPF_JSET = 0x40;
    internal const byte BPF_JNE = 0x50;
    internal const byte BPF_EXIT = 0x90;
}
