namespace Isolation.Images;

/// <summary>How far a pull or a push has come. Immutable.</summary>
public sealed record TransferProgress
{
    /// <summary>The layer or configuration that something happened to; null where it is nothing of the kind.</summary>
    public Descriptor? Blob { get; init; }

    /// <summary>How many bytes of it are there, of its <see cref="Descriptor.Size"/>.</summary>
    public long BlobBytes { get; init; }

    /// <summary>How many layers there are.</summary>
    public int Layers { get; init; }

    /// <summary>How many of them are ready: here and unpacked, or there.</summary>
    public int LayersDone { get; init; }

    /// <summary>How many bytes all blobs have together.</summary>
    public long TotalBytes { get; init; }

    /// <summary>How many of them are where they should be; what was there before counts too.</summary>
    public long Bytes { get; init; }
}
