namespace Isolation.Linux;

/// <summary>What a copy keeps and how much it may be.</summary>
/// <param name="KeepSetId">Whether set-user-ID and set-group-ID bits are kept.</param>
/// <param name="SkipDevices">Whether device files are left out; otherwise one ends the copy.</param>
/// <param name="MostEntries">Of files of every kind.</param>
/// <param name="MostBytes">Of the sizes of all files together.</param>
internal sealed record TreeCopyOptions(bool KeepSetId, bool SkipDevices, long MostEntries, long MostBytes);

/// <summary>What was copied so far.</summary>
internal sealed class TreeCopyCounts
{
    internal long Files { get; set; }

    internal long Directories { get; set; }

    /// <summary>Symbolic links.</summary>
    internal long Links { get; set; }

    /// <summary>Of content; holes take none.</summary>
    internal long Bytes { get; set; }

    /// <summary>Sockets, kernel file systems, and devices where they may be.</summary>
    internal long Skipped { get; set; }
}
