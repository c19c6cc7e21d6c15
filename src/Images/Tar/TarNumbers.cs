namespace Isolation.Images;

/// <summary>The numbers of a header: octal digits, or GNU tar's base 256.</summary>
internal static class TarNumbers
{
    /// <exception cref="ImageException">It is none, or too large.</exception>
    internal static long Read(ReadOnlySpan<byte> field, string what)
    {
        if ((field[0] & 0x80) != 0) return ReadBinary(field, what);
        ReadOnlySpan<byte> digits = field.Trim(" \0"u8);
        int end = digits.IndexOfAny((byte)0, (byte)' ');
        if (end >= 0) digits = digits[..end];
        long value = 0;
        foreach (byte digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'7' || value > long.MaxValue >> 3) throw Invalid(field, what);
            value = value << 3 | (long)(digit - (byte)'0');
        }

        return value;
    }

    /// <summary>Decimal, as in the records of pax.</summary>
    /// <exception cref="ImageException">It is none, or too large.</exception>
    internal static long ReadDecimal(ReadOnlySpan<byte> text, string what) =>
        System.Buffers.Text.Utf8Parser.TryParse(text, out long value, out int used) && used == text.Length && text.Length > 0 && text[0] != '+' ? value : throw Invalid(text, what);

    /// <summary>Seconds with a fraction, of which nine digits count.</summary>
    /// <exception cref="ImageException">It is none.</exception>
    internal static (long Seconds, uint Nanoseconds) ReadTime(ReadOnlySpan<byte> text, string what)
    {
        int point = text.IndexOf((byte)'.');
        long seconds = ReadDecimal(point < 0 ? text : text[..point], what);
        if (point < 0) return (seconds, 0);
        bool negative = text[0] == '-';
        uint fraction = 0;
        int digits = 0;
        foreach (byte digit in text[(point + 1)..])
        {
            if (digit is < (byte)'0' or > (byte)'9') throw Invalid(text, what);
            if (digits++ < 9) fraction = fraction * 10 + (uint)(digit - '0');
        }

        for (; digits < 9; digits++) fraction *= 10;
        return negative && fraction > 0 ? (seconds - 1, 1_000_000_000 - fraction) : (seconds, fraction);
    }

    private static long ReadBinary(ReadOnlySpan<byte> field, string what)
    {
        bool negative = field[0] == 0xff;
        if (!negative && field[0] != 0x80) throw Invalid(field, what);
        long value = negative ? -1 : 0;
        foreach (byte part in field[1..])
        {
            if (value > long.MaxValue >> 8 || value < long.MinValue >> 8) throw Invalid(field, what);
            value = value << 8 | part;
        }

        return value;
    }

    private static ImageException Invalid(ReadOnlySpan<byte> field, string what) =>
        new(ImageErrorReason.InvalidContent, $"The {what} of an entry of the archive is no number: '{System.Text.Encoding.Latin1.GetString(field).Replace("\0", "\\0", StringComparison.Ordinal)}'");
}
