namespace Isolation;

/// <summary>What a copy into or out of a container keeps, and how much it may be.</summary>
public sealed record FileCopyOptions
{
    /// <summary>Whether set-user-ID and set-group-ID bits are kept. Not by default: what a container made set-user-ID belongs to the caller outside.</summary>
    public bool KeepSetId { get; init; }

    /// <summary>Whether device files are left out. By default one ends the copy.</summary>
    public bool SkipDevices { get; init; }

    /// <summary>How many files of every kind may be copied; more end the copy. One million by default.</summary>
    public long MaxEntries { get; init; } = 1_000_000;

    /// <summary>The sizes of all files together, in bytes, holes included; more end the copy. No limit by default.</summary>
    public long MaxBytes { get; init; } = long.MaxValue;
}

/// <summary>What was copied.</summary>
public sealed record FileCopyResult
{
    internal FileCopyResult()
    {
    }

    /// <summary>Regular files and FIFOs; each name of a file with several counts.</summary>
    public required long Files { get; init; }

    /// <summary>Directories, those included that were there already.</summary>
    public required long Directories { get; init; }

    /// <summary>Symbolic links.</summary>
    public required long Links { get; init; }

    /// <summary>Bytes of content; holes take none.</summary>
    public required long Bytes { get; init; }

    /// <summary>What was left out: sockets, file systems of the kernel's (proc, sysfs, cgroup), and devices if that was asked for.</summary>
    public required long Skipped { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Files} files, {Directories} directories and {Links} links, {Bytes} bytes";
}
