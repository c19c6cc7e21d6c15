#pragma warning disable CS8981 // the kernel writes in lower case
using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>linux/bpf.h: one instruction. In C the registers are bit fields: the destination is the lower half of their byte.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct bpf_insn
{
    internal byte code;
    private byte _registers;
    internal short off;
    internal int imm;

    internal byte Registers
    {
        readonly get => _registers;
        set => _registers = value;
    }
}

/// <summary>linux/bpf.h: what a program of the kind BPF_PROG_TYPE_CGROUP_DEVICE gets.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct bpf_cgroup_dev_ctx
{
    internal uint access_type; // BPF_DEVCG_ACC_* in the upper half, BPF_DEVCG_DEV_* in the lower
    internal uint major;
    internal uint minor;
}

/// <summary>linux/bpf.h, the arm of <c>union bpf_attr</c> for BPF_PROG_LOAD, up to Linux 4.17.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct bpf_attr_load
{
    internal uint prog_type;
    internal uint insn_cnt;
    internal ulong insns; // struct bpf_insn *
    internal ulong license; // char *
    internal uint log_level;
    internal uint log_size;
    internal ulong log_buf; // char *
    internal uint kern_version;
    internal uint prog_flags;
    internal fixed byte prog_name[Abi.BPF_OBJ_NAME_LEN];
    internal uint prog_ifindex;
    internal uint expected_attach_type;
}

/// <summary>linux/bpf.h, the arm of <c>union bpf_attr</c> for BPF_PROG_ATTACH and BPF_PROG_DETACH.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct bpf_attr_attach
{
    internal uint target_fd;
    internal uint attach_bpf_fd;
    internal uint attach_type;
    internal uint attach_flags;
    internal uint replace_bpf_fd; // Linux 5.6
}

/// <summary>linux/bpf.h, the arm <c>query</c> of <c>union bpf_attr</c>, up to Linux 4.15.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct bpf_attr_query
{
    internal uint target_fd;
    internal uint attach_type;
    internal uint query_flags;
    internal uint attach_flags;
    internal ulong prog_ids; // __u32 *
    internal uint prog_cnt;
}

/// <summary>linux/bpf.h, the arm of <c>union bpf_attr</c> for BPF_PROG_GET_FD_BY_ID.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct bpf_attr_id
{
    internal uint prog_id;
    internal uint next_id;
    internal uint open_flags;
}

/// <summary>linux/bpf.h, the arm <c>info</c> of <c>union bpf_attr</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct bpf_attr_info
{
    internal uint bpf_fd;
    internal uint info_len;
    internal ulong info; // struct bpf_prog_info *
}

/// <summary>linux/bpf.h, its beginning; the kernel fills in as much as it is told that there is room for.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct bpf_prog_info
{
    internal uint type;
    internal uint id;
    internal fixed byte tag[8];
    internal uint jited_prog_len;
    internal uint xlated_prog_len;
    internal ulong jited_prog_insns;
    internal ulong xlated_prog_insns;
    internal ulong load_time;
    internal uint created_by_uid;
    internal uint nr_map_ids;
    internal ulong map_ids;
    internal fixed byte name[Abi.BPF_OBJ_NAME_LEN];
}
