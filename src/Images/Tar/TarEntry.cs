namespace Isolation.Images;

/// <summary>What an entry of an archive is: its type flag (pax(1), "ustar Interchange Format").</summary>
internal enum TarType
{
    Regular = '0',
    HardLink = '1',
    SymbolicLink = '2',
    CharacterDevice = '3',
    BlockDevice = '4',
    Directory = '5',
    Fifo = '6',
}

/// <summary>An entry of an archive, with what headers before it said of it.</summary>
internal sealed class TarEntry
{
    /// <summary>As it is in the archive: bytes, without a NUL.</summary>
    internal byte[] Name { get; set; } = [];

    internal byte[] LinkTarget { get; set; } = [];

    internal TarType Type { get; set; }

    /// <summary>Permission bits, 0 to 07777.</summary>
    internal uint Mode { get; set; }

    internal uint Uid { get; set; }

    internal uint Gid { get; set; }

    /// <summary>Of the content, in bytes; of a sparse file with its holes.</summary>
    internal long Size { get; set; }

    /// <summary>Of the content in the archive, in bytes.</summary>
    internal long StoredSize { get; set; }

    internal (long Seconds, uint Nanoseconds) Modified { get; set; }

    internal (uint Major, uint Minor) Device { get; set; }

    /// <summary>Extended attributes, by name without a NUL.</summary>
    internal List<(byte[] Name, byte[] Value)> Attributes { get; } = [];

    /// <summary>Where the stored bytes of a sparse file belong, in order; null for other files.</summary>
    internal List<(long Offset, long Length)>? Data { get; set; }

    /// <summary>For messages.</summary>
    public override string ToString() => System.Text.Encoding.UTF8.GetString(Name.AsSpan(0, Math.Min(Name.Length, 256)));
}
