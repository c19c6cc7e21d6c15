namespace Isolation.Images;

/// <summary>How an image is pushed. Immutable.</summary>
public sealed record PushOptions
{
    /// <summary>Through which it is; where it is null, one that all of the process share, with the credentials of <c>docker login</c> and <c>podman login</c>.</summary>
    public RegistryClient? Client { get; init; }

    /// <summary>Where to; the image's own name where it is null.</summary>
    public ImageReference? Reference { get; init; }

    /// <summary>Whether the index that the image's own name leads to is pushed, with all images in it.</summary>
    public bool AllPlatforms { get; init; }

    /// <summary>How many blobs go at once; 4.</summary>
    public int Parallelism { get; init; } = 4;

    /// <summary>How much of a blob goes in one request, in bytes, where a registry or something before it bounds them; 0, for all of it.</summary>
    public long ChunkSize { get; init; }

    /// <summary>Told how far it has come; from any thread, one after the other.</summary>
    public IProgress<TransferProgress>? Progress { get; init; }
}
