using System.Globalization;
using System.Text;

namespace Isolation.Cgroups;

/// <summary>
/// The text of a kernel file, line by line. Allocates nothing unless it throws, and throws nothing but
/// <see cref="CgroupException"/> (Malformed), which names the file and shows the line.
/// </summary>
internal ref struct KernelText
{
    private const int ShownBytes = 120;
    private const long TicksPerMicrosecond = TimeSpan.TicksPerMicrosecond;
    private ReadOnlySpan<byte> _rest;

    internal KernelText(string file, ReadOnlySpan<byte> text)
    {
        File = file;
        _rest = text;
    }

    /// <summary>The file's name, for messages.</summary>
    internal string File { get; }

    /// <summary>The line that was taken last, without its end.</summary>
    internal ReadOnlySpan<byte> Line { get; private set; }

    internal bool NextLine()
    {
        if (_rest.IsEmpty) return false;
        int end = _rest.IndexOf((byte)'\n');
        Line = end < 0 ? _rest : _rest[..end];
        _rest = end < 0 ? default : _rest[(end + 1)..];
        return true;
    }

    /// <summary>The next line of a flat keyed file (admin-guide/cgroup-v2.rst, "Format"): <c>KEY VALUE</c>.</summary>
    internal bool NextPair(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        key = value = default;
        if (!NextLine()) return false;
        value = Line;
        key = NextWord(ref value);
        return true;
    }

    /// <summary>Takes the next word from a part of a line; empty at its end. The kernel puts a space between two, and here and there one after the last.</summary>
    internal static ReadOnlySpan<byte> NextWord(scoped ref ReadOnlySpan<byte> rest)
    {
        rest = rest.TrimStart((byte)' ');
        int end = rest.IndexOf((byte)' ');
        ReadOnlySpan<byte> word = end < 0 ? rest : rest[..end];
        rest = end < 0 ? default : rest[(end + 1)..];
        return word;
    }

    /// <summary>Splits <c>KEY=VALUE</c>, a word of a nested keyed file.</summary>
    internal static bool TrySplit(ReadOnlySpan<byte> word, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        int equals = word.IndexOf((byte)'=');
        key = equals < 0 ? word : word[..equals];
        value = equals < 0 ? default : word[(equals + 1)..];
        return equals >= 0;
    }

    /// <summary>Digits and nothing else, up to what a <c>long</c> holds.</summary>
    internal static bool TryNumber(ReadOnlySpan<byte> digits, out long number)
    {
        number = 0;
        if (digits.Length is 0 or > 19) return false;
        ulong value = 0; // 19 digits cannot overflow it
        foreach (byte digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'9') return false;
            value = value * 10 + (ulong)(digit - '0');
        }

        number = (long)value;
        return value <= long.MaxValue;
    }

    /// <exception cref="CgroupException">Malformed.</exception>
    internal readonly long Number(ReadOnlySpan<byte> digits) => TryNumber(digits, out long number) ? number : throw Malformed("a number");

    /// <summary>A number, or <c>max</c> for no limit.</summary>
    internal readonly Figure Limit(ReadOnlySpan<byte> word) => new(word.SequenceEqual("max"u8) ? ResourceLimits.Unlimited : Number(word));

    internal readonly Figure Count(ReadOnlySpan<byte> digits) => new(Number(digits));

    internal readonly Figure Nanoseconds(ReadOnlySpan<byte> digits) => new(Number(digits) / TimeSpan.NanosecondsPerTick);

    internal readonly Figure Microseconds(ReadOnlySpan<byte> digits) => Scaled(digits, TicksPerMicrosecond);

    internal readonly Figure Scaled(ReadOnlySpan<byte> digits, long ticks) =>
        Number(digits) is var number && number <= long.MaxValue / ticks ? new(number * ticks) : throw Malformed("a time");

    /// <param name="expected">What should stand there, for the message.</param>
    internal readonly CgroupException Malformed(string expected) =>
        new(CgroupErrorReason.Malformed, $"{File}: \"{Shown(Line)}\" does not have {expected} where the kernel's documentation has one");

    private static string Shown(ReadOnlySpan<byte> line)
    {
        StringBuilder text = new();
        foreach (char character in Encoding.UTF8.GetString(line[..Math.Min(line.Length, ShownBytes)]))
            _ = char.IsControl(character) ? text.Append(CultureInfo.InvariantCulture, $"\\x{(int)character:x2}") : text.Append(character);
        return line.Length > ShownBytes ? text.Append("...").ToString() : text.ToString();
    }
}
