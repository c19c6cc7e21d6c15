namespace Isolation.Images;

/// <summary>How images are loaded. Immutable.</summary>
public sealed record LoadOptions
{
    /// <summary>The name of the one image that there is; those that are written there where it is null.</summary>
    public ImageReference? Reference { get; init; }

    /// <summary>Told how many bytes were read, of the archive as it comes or of the blobs of a directory.</summary>
    public IProgress<long>? Progress { get; init; }
}
