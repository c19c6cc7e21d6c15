namespace Isolation.Images;

/// <summary>What extended headers say of the entries after them (pax(1), "pax Header Block"; GNU tar manual, "Storing Sparse Files"). Values are bytes.</summary>
internal sealed class PaxRecords
{
    private const int MostAttributes = 1000; // each is compared with those before it

    private static ReadOnlySpan<byte> AttributePrefix => "SCHILY.xattr."u8;

    internal byte[]? Name { get; private set; }

    internal byte[]? LinkTarget { get; private set; }

    internal long? Size { get; private set; }

    internal long? Uid { get; private set; }

    internal long? Gid { get; private set; }

    internal (long Seconds, uint Nanoseconds)? Modified { get; private set; }

    internal List<(byte[] Name, byte[] Value)> Attributes { get; private init; } = [];

    /// <summary>The true size of a sparse file.</summary>
    internal long? SparseSize { get; private set; }

    /// <summary>The map of a sparse file of format 0.0 or 0.1.</summary>
    internal List<(long Offset, long Length)>? SparseMap { get; private set; }

    /// <summary>The map is in front of the content (format 1.0).</summary>
    internal bool HasMapInContent { get; private set; }

    private long? _sparseOffset;
    private byte[]? _sparseName;

    /// <summary>A copy, to which the records of one entry are added.</summary>
    internal PaxRecords Copy() => new()
    {
        Name = Name, LinkTarget = LinkTarget, Size = Size, Uid = Uid, Gid = Gid, Modified = Modified, Attributes = [.. Attributes],
    };

    /// <exception cref="ImageException">It does not read as the format says.</exception>
    internal void Add(ReadOnlySpan<byte> records)
    {
        while (records.Length > 0)
        {
            int space = records.IndexOf((byte)' ');
            if (space <= 0) throw Invalid("a record has no length");
            long length = TarNumbers.ReadDecimal(records[..space], "length of a record");
            if (length <= space + 1 || length > records.Length || records[(int)length - 1] != '\n') throw Invalid($"a record says that it has {length} bytes");
            ReadOnlySpan<byte> record = records[(space + 1)..((int)length - 1)];
            records = records[(int)length..];
            int equals = record.IndexOf((byte)'=');
            if (equals <= 0) throw Invalid("a record has no name");
            Set(record[..equals], record[(equals + 1)..]);
        }

        if (_sparseName is not null) Name = _sparseName;
    }

    private void Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (key.SequenceEqual("path"u8)) Name = value.ToArray();
        else if (key.SequenceEqual("linkpath"u8)) LinkTarget = value.ToArray();
        else if (key.SequenceEqual("size"u8)) Size = TarNumbers.ReadDecimal(value, "size");
        else if (key.SequenceEqual("uid"u8)) Uid = TarNumbers.ReadDecimal(value, "owner");
        else if (key.SequenceEqual("gid"u8)) Gid = TarNumbers.ReadDecimal(value, "group");
        else if (key.SequenceEqual("mtime"u8)) Modified = TarNumbers.ReadTime(value, "time");
        else if (key.StartsWith(AttributePrefix)) SetAttribute(key[AttributePrefix.Length..], value);
        else if (key.StartsWith("GNU.sparse."u8)) SetSparse(key["GNU.sparse."u8.Length..], value);
    }

    private void SetAttribute(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        byte[] key = name.ToArray();
        if (key.Length is 0 or > 255 || key.Contains((byte)0)) throw Invalid("the name of an extended attribute is none");
        if (Attributes.Count == MostAttributes) throw new ImageException(ImageErrorReason.TooLarge, $"A file of the archive has more than {MostAttributes} extended attributes");
        Attributes.RemoveAll(attribute => attribute.Name.AsSpan().SequenceEqual(key));
        Attributes.Add((key, value.ToArray()));
    }

    private void SetSparse(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (key.SequenceEqual("name"u8)) _sparseName = value.ToArray();
        else if (key.SequenceEqual("size"u8) || key.SequenceEqual("realsize"u8)) SparseSize = TarNumbers.ReadDecimal(value, "size");
        else if (key.SequenceEqual("major"u8)) HasMapInContent = value.SequenceEqual("1"u8) ? true : value.SequenceEqual("0"u8) ? false : throw new ImageException(ImageErrorReason.NotSupported, "The archive has a sparse file of a format that is not known");
        else if (key.SequenceEqual("offset"u8)) _sparseOffset = TarNumbers.ReadDecimal(value, "offset");
        else if (key.SequenceEqual("numbytes"u8) && _sparseOffset is { } offset) (SparseMap ??= []).Add((offset, TarNumbers.ReadDecimal(value, "length")));
        else if (key.SequenceEqual("map"u8)) SparseMap = ReadMap(value);
    }

    private static List<(long Offset, long Length)> ReadMap(ReadOnlySpan<byte> text)
    {
        List<(long, long)> map = [];
        long? offset = null;
        foreach (Range range in text.Split((byte)','))
        {
            if (text[range].Length == 0) continue;
            long number = TarNumbers.ReadDecimal(text[range], "map of a sparse file");
            if (offset is { } start) map.Add((start, number));
            offset = offset is null ? number : null;
        }

        return map;
    }

    private static ImageException Invalid(string why) => new(ImageErrorReason.InvalidContent, $"An extended header of the archive is damaged: {why}");
}
