using System.Runtime.InteropServices;
using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>A register of the kernel's machine (Documentation/bpf/standardization/instruction-set.rst).</summary>
internal enum BpfRegister : byte
{
    /// <summary>What the program returns.</summary>
    R0,

    /// <summary>At the start, the address of what the program is asked about.</summary>
    R1,
    R2,
    R3,
    R4,
    R5,
}

/// <summary>The instructions that <see cref="DeviceProgram"/> needs, one method each, under the names of the kernel's own macros (include/linux/filter.h).</summary>
internal static class BpfInstruction
{
    /// <summary>Loads 32 bits of memory; the upper half of the register becomes 0.</summary>
    internal static bpf_insn LoadWord(BpfRegister to, BpfRegister address, nint offset) =>
        Encode(Abi.BPF_LDX | Abi.BPF_W | Abi.BPF_MEM, to, address, checked((short)offset));

    internal static bpf_insn Move(BpfRegister to, int value) => Encode(Abi.BPF_ALU64 | Abi.BPF_MOV | Abi.BPF_K, to, value: value);

    internal static bpf_insn And32(BpfRegister register, int mask) => Encode(Abi.BPF_ALU | Abi.BPF_AND | Abi.BPF_K, register, value: mask);

    internal static bpf_insn ShiftRight32(BpfRegister register, int bits) => Encode(Abi.BPF_ALU | Abi.BPF_RSH | Abi.BPF_K, register, value: bits);

    /// <summary>Leaves out as many of the following instructions.</summary>
    internal static bpf_insn Skip(int count) => Encode(Abi.BPF_JMP | Abi.BPF_JA, BpfRegister.R0, offset: checked((short)count));

    /// <summary>Leaves out as many of the following instructions, unless they are equal.</summary>
    internal static bpf_insn SkipUnlessEqual(BpfRegister register, int value, int count) =>
        Encode(Abi.BPF_JMP | Abi.BPF_JNE | Abi.BPF_K, register, offset: checked((short)count), value: value);

    /// <summary>Leaves out as many of the following instructions, if a bit of the mask is set.</summary>
    internal static bpf_insn SkipIfAny(BpfRegister register, int mask, int count) =>
        Encode(Abi.BPF_JMP | Abi.BPF_JSET | Abi.BPF_K, register, offset: checked((short)count), value: mask);

    internal static bpf_insn Exit() => Encode(Abi.BPF_JMP | Abi.BPF_EXIT, BpfRegister.R0);

    internal static byte[] ToBytes(List<bpf_insn> instructions) => MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(instructions)).ToArray();

    private static bpf_insn Encode(int code, BpfRegister destination, BpfRegister source = BpfRegister.R0, short offset = 0, int value = 0) =>
        new() { code = (byte)code, Registers = (byte)((int)destination | ((int)source << 4)), off = offset, imm = value };
}
