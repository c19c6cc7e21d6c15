using System.Globalization;
using System.Text;

namespace Isolation.Images;

/// <summary>
/// Writes an archive: ustar, with a pax header where that cannot say it (pax(1)), and GNU tar's sparse format 1.0 for files
/// with holes. The same entries give the same bytes. For one thread.
/// </summary>
internal sealed class TarWriter(Stream stream)
{
    private const int LongestName = 100;
    private const long MostInSeven = 0x1FFFFF, MostInEleven = 0x1FFFFFFFF; // octal digits
    private static readonly byte[] Zeros = new byte[TarReader.BlockSize];
    private readonly byte[] _block = new byte[TarReader.BlockSize];
    private long _left;
    private long _size;

    /// <summary>Begins an entry. Of a file <see cref="TarEntry.StoredSize"/> bytes are to be written after it: of a sparse one those of its parts.</summary>
    internal void Begin(TarEntry entry)
    {
        if (_left != 0) throw new InvalidOperationException($"{_left} bytes of the entry before are missing.");
        byte[] map = entry.Data is { } data ? Map(data) : [];
        long size = entry.Type == TarType.Regular ? entry.StoredSize + map.Length : 0;
        byte[] records = Records(entry, size);
        if (records.Length > 0)
        {
            Header((byte)'x', [.. "PaxHeaders/"u8, .. entry.Name], [], records.Length, new TarEntry { Mode = 0x1A4 });
            stream.Write(records);
            Pad(records.Length);
        }

        Header((byte)entry.Type, entry.Name, entry.LinkTarget, size, entry);
        stream.Write(map);
        _size = _left = entry.Type == TarType.Regular ? entry.StoredSize : 0;
    }

    /// <summary>A part of the content.</summary>
    internal void Write(ReadOnlySpan<byte> content)
    {
        if (content.Length > _left) throw new InvalidOperationException($"{content.Length} bytes are more than the {_left} that the entry has left.");
        stream.Write(content);
        _left -= content.Length;
        if (_left == 0) Pad(_size);
    }

    /// <summary>The end of the archive: two blocks of zeros.</summary>
    internal void Finish()
    {
        if (_left != 0) throw new InvalidOperationException($"{_left} bytes of the last entry are missing.");
        stream.Write(Zeros);
        stream.Write(Zeros);
    }

    private void Pad(long size) => stream.Write(Zeros.AsSpan(0, (int)(-size & (TarReader.BlockSize - 1))));

    private void Header(byte type, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, long size, TarEntry entry)
    {
        Span<byte> block = _block;
        block.Clear();
        name[..Math.Min(name.Length, LongestName)].CopyTo(block);
        Octal(block[100..108], entry.Mode);
        Octal(block[108..116], entry.Uid <= MostInSeven ? entry.Uid : 0);
        Octal(block[116..124], entry.Gid <= MostInSeven ? entry.Gid : 0);
        Octal(block[124..136], size <= MostInEleven ? size : 0);
        Octal(block[136..148], entry.Modified.Seconds is >= 0 and <= MostInEleven ? entry.Modified.Seconds : 0);
        block[148..156].Fill((byte)' ');
        block[156] = type;
        target[..Math.Min(target.Length, LongestName)].CopyTo(block[157..]);
        "ustar\000"u8.CopyTo(block[257..]);
        "00"u8.CopyTo(block[263..]);
        Octal(block[329..337], entry.Device.Major);
        Octal(block[337..345], entry.Device.Minor);
        int sum = 0;
        foreach (byte value in block) sum += value;
        Octal(block[148..155], sum);
        stream.Write(block);
    }

    private static void Octal(Span<byte> field, long number)
    {
        for (int i = field.Length - 2; i >= 0; i--, number >>= 3) field[i] = (byte)('0' + (number & 7));
        field[^1] = 0;
    }

    private static byte[] Records(TarEntry entry, long size)
    {
        List<byte> records = [];
        bool isSparse = entry.Data is not null;
        if (isSparse)
        {
            Add(records, "GNU.sparse.major"u8, "1"u8);
            Add(records, "GNU.sparse.minor"u8, "0"u8);
            Add(records, "GNU.sparse.name"u8, entry.Name);
            Add(records, "GNU.sparse.realsize"u8, Decimal(entry.Size));
        }

        foreach ((byte[] name, byte[] value) in entry.Attributes) Add(records, [.. "SCHILY.xattr."u8, .. name], value);
        if (entry.Gid > MostInSeven) Add(records, "gid"u8, Decimal(entry.Gid));
        if (entry.LinkTarget.Length > LongestName) Add(records, "linkpath"u8, entry.LinkTarget);
        if (entry.Modified.Nanoseconds != 0 || entry.Modified.Seconds is < 0 or > MostInEleven) Add(records, "mtime"u8, Time(entry.Modified));
        if (entry.Name.Length > LongestName) Add(records, "path"u8, entry.Name);
        if (size > MostInEleven) Add(records, "size"u8, Decimal(size));
        if (entry.Uid > MostInSeven) Add(records, "uid"u8, Decimal(entry.Uid));
        return [.. records];
    }

    /// <summary>A record begins with its own length, which counts itself.</summary>
    private static void Add(List<byte> records, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        int rest = key.Length + value.Length + 3, length = rest + 1;
        while (length != rest + Decimal(length).Length) length = rest + Decimal(length).Length;
        records.AddRange(Decimal(length));
        records.Add((byte)' ');
        records.AddRange(key);
        records.Add((byte)'=');
        records.AddRange(value);
        records.Add((byte)'\n');
    }

    private static byte[] Map(List<(long Offset, long Length)> data)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"{data.Count}\n");
        foreach ((long offset, long length) in data) text.Append(CultureInfo.InvariantCulture, $"{offset}\n{length}\n");
        byte[] map = new byte[(text.Length + TarReader.BlockSize - 1) & -TarReader.BlockSize];
        Encoding.ASCII.GetBytes(text.ToString(), map);
        return map;
    }

    private static byte[] Time((long Seconds, uint Nanoseconds) time)
    {
        (long seconds, uint nanoseconds) = time;
        if (seconds >= 0 || nanoseconds == 0) return nanoseconds == 0 ? Decimal(seconds) : Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{seconds}.{nanoseconds:000000000}").TrimEnd('0'));
        return Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"-{-(seconds + 1)}.{1_000_000_000 - nanoseconds:000000000}").TrimEnd('0'));
    }

    private static byte[] Decimal(long number) => Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture));
}
