namespace Isolation.Images;

/// <summary>
/// Reads an archive from front to back: ustar, pax, GNU tar and what came before them (pax(1); GNU tar manual, "Basic Tar
/// Format"). Names, link targets and attributes are bytes, as in the archive: the framework's reader takes them for
/// UTF-8, and so breaks the capabilities of files. For one thread.
/// </summary>
internal sealed class TarReader(Stream stream)
{
    internal const int BlockSize = 512;
    private const int LongestHeader = 4 << 20; // of all extended headers of an entry: what a path and all attributes of a file can take
    private const int MostSegments = 1 << 20; // of one sparse file

    private readonly byte[] _block = new byte[BlockSize];
    private PaxRecords _global = new();
    private long _left; // of the current entry's content
    private int _padding;
    private long _headers; // bytes of those before the entry
    private long _globals; // and of those that hold for all after them
    private bool _ended;

    /// <summary>Goes on to the next entry; null at the end. What was not read of the content before is passed over.</summary>
    /// <exception cref="ImageException">It is no archive, or it ends too soon.</exception>
    internal TarEntry? Next()
    {
        if (_ended) return null;
        SkipContent();
        _headers = 0;
        byte[]? longName = null, longTarget = null;
        PaxRecords? own = null;
        while (ReadHeader())
        {
            ReadOnlySpan<byte> block = _block;
            byte type = block[156];
            long size = Positive(TarNumbers.Read(block[124..136], "size"), "size");
            switch (type)
            {
                case (byte)'L': longName = Text(ReadContent(size, ref _headers)); break;
                case (byte)'K': longTarget = Text(ReadContent(size, ref _headers)); break;
                case (byte)'x': (own ??= _global.Copy()).Add(ReadContent(size, ref _headers)); break;
                case (byte)'g': (_global = _global.Copy()).Add(ReadContent(size, ref _globals)); break;
                case (byte)'V' or (byte)'M' or (byte)'X' or (byte)'N' or (byte)'D':
                    throw new ImageException(ImageErrorReason.NotSupported, $"The archive has an entry of type '{(char)type}', a part of a volume or of a backup");
                default:
                    TarEntry entry = Entry(type, size, own ?? _global, longName, longTarget);
                    if (type == 'S') ReadOldMap(entry);
                    Begin(entry, own ?? _global);
                    return entry;
            }
        }

        if (own is not null || longName is not null || longTarget is not null) throw Truncated("a header is followed by no entry");
        _ended = true;
        return null;
    }

    /// <summary>The content of the current entry as it is stored; 0 at its end.</summary>
    /// <exception cref="ImageException">The archive ends too soon.</exception>
    internal int Read(Span<byte> buffer)
    {
        int count = (int)Math.Min(_left, buffer.Length);
        if (count == 0) return 0;
        count = stream.Read(buffer[..count]);
        if (count == 0) throw Truncated($"{_left} bytes of an entry are missing");
        _left -= count;
        return count;
    }

    private void Begin(TarEntry entry, PaxRecords records)
    {
        // Other kinds have none, whatever their size says: so do Go's reader and with it all of the field, for hard links too.
        _left = entry.Type == TarType.Regular ? entry.StoredSize : 0;
        _padding = Padding(_left);
        if (entry.Type != TarType.Regular) return;
        if (records.HasMapInContent) ReadMapInContent(entry);
        if (entry.Data is { } data) Check(entry, data);
    }

    private TarEntry Entry(byte type, long size, PaxRecords records, byte[]? longName, byte[]? longTarget)
    {
        ReadOnlySpan<byte> block = _block;
        TarEntry entry = new()
        {
            Name = records.Name ?? longName ?? HeaderName(block),
            LinkTarget = records.LinkTarget ?? longTarget ?? Text(block[157..257]),
            Mode = (uint)TarNumbers.Read(block[100..108], "mode") & 0xfff,
            Uid = Id(records.Uid ?? TarNumbers.Read(block[108..116], "owner"), "owner"),
            Gid = Id(records.Gid ?? TarNumbers.Read(block[116..124], "group"), "group"),
            StoredSize = records.Size is { } given ? Positive(given, "size") : size,
            Modified = records.Modified ?? (TarNumbers.Read(block[136..148], "time"), 0),
        };
        entry.Type = TypeOf(type, entry);
        entry.Attributes.AddRange(records.Attributes);
        entry.Size = records.SparseSize is { } whole ? Positive(whole, "size") : entry.StoredSize;
        entry.Data = records.SparseMap;
        if (entry.Type is TarType.CharacterDevice or TarType.BlockDevice)
            entry.Device = ((uint)Positive(TarNumbers.Read(block[329..337], "device"), "device"), (uint)Positive(TarNumbers.Read(block[337..345], "device"), "device"));
        if (entry.Name.AsSpan().Contains((byte)0) || entry.LinkTarget.AsSpan().Contains((byte)0)) throw new ImageException(ImageErrorReason.InvalidContent, $"The name '{entry}' of the archive holds NUL");
        return entry;
    }

    private static TarType TypeOf(byte type, TarEntry entry) => type switch
    {
        0 or (byte)'0' or (byte)'7' when entry.Name is [.., (byte)'/'] => TarType.Directory, // before POSIX a slash said so
        0 or (byte)'7' or (byte)'S' => TarType.Regular,
        >= (byte)'0' and <= (byte)'6' => (TarType)type,
        _ => TarType.Regular, // unknown ones are to be taken as files (pax(1), typeflag)
    };

    private static byte[] HeaderName(ReadOnlySpan<byte> block)
    {
        byte[] name = Text(block[..100]);

        // GNU tar has "ustar  " and other fields where POSIX has a prefix.
        if (!block[257..263].SequenceEqual("ustar\0"u8) || block[345] == 0) return name;
        return [.. Text(block[345..500]), (byte)'/', .. name];
    }

    /// <summary>False at the end: two blocks of zeros, or no more bytes.</summary>
    private bool ReadHeader()
    {
        if (!TryReadBlock()) return false;
        if (!_block.AsSpan().ContainsAnyExcept((byte)0)) return false;
        long sum = 0, signed = 0;
        for (int i = 0; i < BlockSize; i++)
        {
            byte value = i is >= 148 and < 156 ? (byte)' ' : _block[i];
            sum += value;
            signed += (sbyte)value; // some old programs added them so
        }

        long expected = TarNumbers.Read(_block.AsSpan(148, 8), "checksum");
        if (expected != sum && expected != signed) throw new ImageException(ImageErrorReason.InvalidContent, $"A header of the archive is damaged, or it is no tar archive: its bytes add up to {sum}, and it says {expected}");
        return true;
    }

    private bool TryReadBlock()
    {
        int count = stream.ReadAtLeast(_block, BlockSize, throwOnEndOfStream: false);
        if (count == 0) return false;
        return count == BlockSize ? true : throw Truncated($"the last block has {count} bytes");
    }

    private void SkipContent()
    {
        Span<byte> buffer = stackalloc byte[4096];
        while (Read(buffer) > 0)
        {
        }

        if (_padding > 0 && stream.ReadAtLeast(_block.AsSpan(0, _padding), _padding, throwOnEndOfStream: false) < _padding) throw Truncated("the last entry is not filled up to a block");
        _padding = 0;
    }

    private byte[] ReadContent(long size, ref long before)
    {
        // Each alone may be small, and there may be no end of them.
        if (size > LongestHeader - before) throw new ImageException(ImageErrorReason.TooLarge, $"The extended headers of an entry of the archive have more than {LongestHeader} bytes");
        before += size;
        byte[] content = new byte[size];
        (_left, _padding) = (size, Padding(size));
        for (int at = 0; at < content.Length;) at += Read(content.AsSpan(at));
        SkipContent();
        return content;
    }

    /// <summary>GNU tar's oldest form: four segments in the header, and 21 in each block after it.</summary>
    private void ReadOldMap(TarEntry entry)
    {
        entry.Size = Positive(TarNumbers.Read(_block.AsSpan(483, 12), "size"), "size");
        List<(long, long)> map = entry.Data = [];
        AddSegments(map, 386, 4);
        bool more = _block[482] != 0;
        while (more)
        {
            if (!TryReadBlock()) throw Truncated("the map of a sparse file goes on");
            AddSegments(map, 0, 21);
            more = _block[504] != 0;
            if (map.Count > MostSegments) throw TooManySegments(entry);
        }
    }

    private void AddSegments(List<(long, long)> map, int start, int count)
    {
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> segment = _block.AsSpan(start + 24 * i, 24);
            if (segment[0] == 0) return;
            map.Add((TarNumbers.Read(segment[..12], "offset"), TarNumbers.Read(segment[12..], "length")));
        }
    }

    /// <summary>The newest form: decimal numbers, each on a line, in whole blocks before the content.</summary>
    private void ReadMapInContent(TarEntry entry)
    {
        List<(long, long)> map = entry.Data = [];
        long start = _left;
        int at = BlockSize;
        byte[] block = new byte[BlockSize];
        long count = Number();
        if (count is < 0 or > MostSegments) throw TooManySegments(entry);
        for (long i = 0; i < count; i++) map.Add((Number(), Number()));
        entry.StoredSize -= start - _left;

        long Number()
        {
            Span<byte> digits = stackalloc byte[20];
            for (int length = 0; ;)
            {
                if (at == BlockSize)
                {
                    for (at = 0; at < BlockSize;)
                    {
                        int read = Read(block.AsSpan(at));
                        if (read == 0) throw Truncated("the map of a sparse file goes on");
                        at += read;
                    }

                    at = 0;
                }

                byte digit = block[at++];
                if (digit == '\n') return TarNumbers.ReadDecimal(digits[..length], "map of a sparse file");
                if (length == digits.Length) throw new ImageException(ImageErrorReason.InvalidContent, $"The map of the sparse file '{entry}' is damaged");
                digits[length++] = digit;
            }
        }
    }

    private static void Check(TarEntry entry, List<(long Offset, long Length)> data)
    {
        if (data.Count > MostSegments) throw TooManySegments(entry);
        long end = 0, stored = 0;
        foreach ((long offset, long length) in data)
        {
            if (offset < end || length < 0 || length > entry.Size - offset) throw new ImageException(ImageErrorReason.InvalidContent, $"The map of the sparse file '{entry}' is damaged: {length} bytes at {offset} after {end}, of {entry.Size}");
            end = offset + length;
            stored += length;
        }

        if (stored != entry.StoredSize) throw new ImageException(ImageErrorReason.InvalidContent, $"The sparse file '{entry}' has {entry.StoredSize} bytes, and its map {stored}");
    }

    private static int Padding(long size) => (int)(-size & (BlockSize - 1));

    private static byte[] Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return (end < 0 ? field : field[..end]).ToArray();
    }

    private static long Positive(long number, string what) => number >= 0 ? number : throw new ImageException(ImageErrorReason.InvalidContent, $"The {what} of an entry of the archive is negative: {number}");

    // 2^32-1 means "no change" to chown(2), and an archive that says it would keep the owner of whoever unpacks it.
    private static uint Id(long number, string what) => number is >= 0 and < uint.MaxValue ? (uint)number : throw new ImageException(ImageErrorReason.InvalidContent, $"The {what} of an entry of the archive is no id: {number}");

    private static ImageException TooManySegments(TarEntry entry) => new(ImageErrorReason.TooLarge, $"The sparse file '{entry}' of the archive is in more than {MostSegments} parts");

    private static ImageException Truncated(string why) => new(ImageErrorReason.InvalidContent, $"The archive ends too soon: {why}");
}
