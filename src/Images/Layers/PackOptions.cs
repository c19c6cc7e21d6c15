using Isolation.Linux;

namespace Isolation.Images;

/// <summary>How a tree becomes a layer.</summary>
internal sealed record PackOptions
{
    internal LayerCompression Compression { get; init; } = LayerCompression.Gzip;

    /// <summary>Whether the directory itself has an entry, <c>./</c>.</summary>
    internal bool IncludeTop { get; init; }

    /// <summary>Times after it become it, so that the same content is the same layer (reproducible-builds.org, SOURCE_DATE_EPOCH).</summary>
    internal DateTimeOffset? LatestTime { get; init; }

    /// <summary>Paths from the directory that are left out with all that is in them, as UTF-8.</summary>
    internal IReadOnlySet<string> Left { get; init; } = System.Collections.Frozen.FrozenSet<string>.Empty;

    /// <summary>Whether files belong to who owns them; else to who is recorded (<see cref="FileOwnership"/>), or root.</summary>
    internal bool Privileged { get; init; } = Syscall.Invoke(SystemCall.geteuid) == 0;

    /// <summary>What an owner on disk is in the image; itself where it is null.</summary>
    internal Func<uint, uint>? UserOf { get; init; }

    /// <summary>Likewise of a group.</summary>
    internal Func<uint, uint>? GroupOf { get; init; }

    /// <summary>The only device on whose files <see cref="UserOf"/> and <see cref="GroupOf"/> bear; all where it is null.</summary>
    internal (uint Major, uint Minor)? MappedDevice { get; init; }
}

/// <summary>What a tree has become.</summary>
/// <param name="Blob">Of the bytes that were written.</param>
/// <param name="BlobSize">How many there were.</param>
/// <param name="DiffId">Of the archive.</param>
/// <param name="TarSize">Of the archive, in bytes.</param>
/// <param name="Entries">How many files of any kind.</param>
/// <param name="Sockets">How many sockets were left out: an archive knows none.</param>
internal sealed record PackedLayer(Digest Blob, long BlobSize, Digest DiffId, long TarSize, long Entries, long Sockets);
