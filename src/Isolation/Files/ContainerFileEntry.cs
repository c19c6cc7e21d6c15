namespace Isolation;

/// <summary>What kind of file it is (inode(7)).</summary>
public enum ContainerFileType
{
    /// <summary>None of the others.</summary>
    Unknown,

    /// <summary>A file with content.</summary>
    Regular,

    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A symbolic link.</summary>
    SymbolicLink,

    /// <summary>A named pipe.</summary>
    Fifo,

    /// <summary>A Unix socket.</summary>
    Socket,

    /// <summary>A character device.</summary>
    CharacterDevice,

    /// <summary>A block device.</summary>
    BlockDevice,
}

/// <summary>A file in a container as it was when it was looked at. Immutable.</summary>
public sealed record ContainerFileEntry
{
    internal ContainerFileEntry()
    {
    }

    /// <summary>Absolute, in the container. Bytes that are not UTF-8 stand as U+FFFD; such a path leads to no file.</summary>
    public required string Path { get; init; }

    /// <summary>The last component of the path.</summary>
    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    /// <summary>What it is; a symbolic link is not followed.</summary>
    public required ContainerFileType Type { get; init; }

    /// <summary>In bytes; of a symbolic link, of its text.</summary>
    public required long Size { get; init; }

    /// <summary>Permission bits with set-user-ID, set-group-ID and sticky.</summary>
    public required UnixFileMode Mode { get; init; }

    /// <summary>Its user as the container sees it; 65534 where the container's map does not have it.</summary>
    public required uint UserId { get; init; }

    /// <summary>Its group as the container sees it; 65534 where the container's map does not have it.</summary>
    public required uint GroupId { get; init; }

    /// <summary>When its content changed last, in UTC.</summary>
    public required DateTimeOffset ModifiedAt { get; init; }

    /// <summary>Where a symbolic link leads, as it stands in the link; else null.</summary>
    public string? LinkTarget { get; init; }
}
