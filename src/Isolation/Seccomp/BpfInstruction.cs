using System.Globalization;

namespace Isolation;

/// <summary>One instruction of classic BPF, as seccomp(2) takes it (struct sock_filter).</summary>
/// <param name="Code">What it does.</param>
/// <param name="True">How many instructions are passed over where a comparison holds.</param>
/// <param name="False">And where it does not.</param>
/// <param name="Operand">With what.</param>
internal readonly record struct BpfInstruction(ushort Code, byte True, byte False, uint Operand)
{
    internal const ushort Load = 0x20, Jump = 0x05, JumpEqual = 0x15, JumpGreater = 0x25, JumpGreaterOrEqual = 0x35, JumpSet = 0x45, And = 0x54, Return = 0x06;

    /// <summary>As bpf_dbg prints it.</summary>
    internal string Text(int at) => Code switch
    {
        Load => string.Create(CultureInfo.InvariantCulture, $"ld [{Operand}]"),
        Jump => string.Create(CultureInfo.InvariantCulture, $"ja {at + 1 + Operand}"),
        JumpEqual => Compare("jeq", at),
        JumpGreater => Compare("jgt", at),
        JumpGreaterOrEqual => Compare("jge", at),
        JumpSet => Compare("jset", at),
        And => string.Create(CultureInfo.InvariantCulture, $"and #0x{Operand:x}"),
        Return => string.Create(CultureInfo.InvariantCulture, $"ret #0x{Operand:x8}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"?{Code:x} #0x{Operand:x}"),
    };

    private string Compare(string name, int at) => string.Create(CultureInfo.InvariantCulture, $"{name} #0x{Operand:x}, {at + 1 + True}, {at + 1 + False}");
}
