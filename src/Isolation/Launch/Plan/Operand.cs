using System.Globalization;
using System.Text;
using Isolation.Linux;

namespace Isolation.Launch;

internal enum OperandKind : byte
{
    /// <summary>A number.</summary>
    Value,

    /// <summary>The address of a NUL-terminated string.</summary>
    Text,

    /// <summary>The address of a structure or buffer.</summary>
    Bytes,

    /// <summary>The address of a NULL-terminated array of addresses of strings.</summary>
    Texts,

    /// <summary>What is in a slot when the step runs.</summary>
    Slot,

    /// <summary>The address of a slot.</summary>
    SlotAddress,
}

/// <summary>One symbolic operand of a system call. Immutable; says in <see cref="ToString"/> what strace would show.</summary>
internal readonly struct Operand
{
    private const int MostShown = 32;

    private readonly string? _display;

    private Operand(OperandKind kind, long value, object? payload, string? display)
    {
        Kind = kind;
        Number = value;
        Payload = payload;
        _display = display;
    }

    internal OperandKind Kind { get; }

    internal long Number { get; }

    internal object? Payload { get; }

    public static implicit operator Operand(int value) => new(OperandKind.Value, value, null, null);

    public static implicit operator Operand(long value) => new(OperandKind.Value, value, null, null);

    public static implicit operator Operand(uint value) => new(OperandKind.Value, value, null, null);

    public static implicit operator Operand(ulong value) => new(OperandKind.Value, unchecked((long)value), null, null);

    public static implicit operator Operand(string text) => new(OperandKind.Text, 0, text, null);

    public static implicit operator Operand(Slot slot) => new(OperandKind.Slot, 0, slot, null);

    internal static Operand Null => new(OperandKind.Value, 0, null, "NULL");

    internal static Operand CurrentDirectory => new(OperandKind.Value, Abi.AT_FDCWD, null, "AT_FDCWD");

    /// <summary>A number with the names of its flags, for people.</summary>
    internal static Operand Named(long value, string names) => new(OperandKind.Value, value, null, names);

    internal static Operand Named(ulong value, string names) => new(OperandKind.Value, unchecked((long)value), null, names);

    internal static Operand Octal(int mode) => new(OperandKind.Value, mode, null, "0" + Convert.ToString(mode, 8));

    internal static Operand Bytes(byte[] data, string display) => new(OperandKind.Bytes, 0, data, display);

    /// <summary>The UTF-8 bytes of a text without a terminator.</summary>
    internal static Operand Content(string text) => new(OperandKind.Bytes, 0, Encoding.UTF8.GetBytes(text), Quote(text));

    internal static Operand Texts(IReadOnlyList<string> texts) => new(OperandKind.Texts, 0, texts, null);

    internal static Operand AddressOf(Slot slot, int offset = 0) => new(OperandKind.SlotAddress, offset, slot, null);

    /// <summary>What is in a slot at an offset when the step runs.</summary>
    internal static Operand Within(Slot slot, int offset) => new(OperandKind.Slot, offset, slot, null);

    public override string ToString() => _display ?? Kind switch
    {
        OperandKind.Text => Quote((string)Payload!),
        OperandKind.Texts => Quote((IReadOnlyList<string>)Payload!),
        OperandKind.Slot => Payload!.ToString()!,
        OperandKind.SlotAddress => "&" + Payload,
        _ => Number.ToString(CultureInfo.InvariantCulture),
    };

    // A program may have thousands of arguments; strace shows 32.
    private static string Quote(IReadOnlyList<string> texts)
    {
        string shown = string.Join(", ", texts.Take(MostShown).Select(Quote));
        return texts.Count > MostShown ? $"[{shown}, ... {texts.Count - MostShown} more]" : $"[{shown}]";
    }

    private static string Quote(string text)
    {
        string escaped = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal);
        return escaped.Length > 64 ? $"\"{escaped[..61]}\"..." : $"\"{escaped}\"";
    }
}
