namespace Isolation;

/// <summary>A file system in memory, private to one container (tmpfs(5)). Immutable.</summary>
public sealed record TmpfsOptions
{
    /// <summary>The most it can hold, in bytes; writing more fails with ENOSPC. Default 64 MiB.</summary>
    public long SizeBytes { get; init; } = 64L << 20;

    /// <summary>The most files and directories it can hold; null for the kernel's default (half the pages of memory).</summary>
    public long? Inodes { get; init; }

    /// <summary>Permission bits of its root, octal 01777 by default.</summary>
    public int Mode { get; init; } = 0x3FF;

    /// <summary>Writes fail with EROFS. Default false.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Programs in it can be executed. Default true.</summary>
    public bool AllowExecution { get; init; } = true;
}
