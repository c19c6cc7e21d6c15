namespace Isolation.Images;

/// <summary>How an image is pulled. Immutable.</summary>
public sealed record PullOptions
{
    /// <summary>Through which it is; where it is null, one that all pulls of the process share, with the credentials of <c>docker login</c> and <c>podman login</c>.</summary>
    public RegistryClient? Client { get; init; }

    /// <summary>Which of an index's images; this machine's where it is null.</summary>
    public Platform? Platform { get; init; }

    /// <summary>Whether all images of an index are pulled, for whatever platform; only the one that was asked for is unpacked.</summary>
    public bool AllPlatforms { get; init; }

    /// <summary>Whether layers are unpacked while they come, so that the image can be run at once; true.</summary>
    public bool Unpack { get; init; } = true;

    /// <summary>Whether blobs that are there are read and checked, and fetched again where they are damaged. Else they are taken for what they are called.</summary>
    public bool Recheck { get; init; }

    /// <summary>How many layers come at once; 4.</summary>
    public int Parallelism { get; init; } = 4;

    /// <summary>Decides whether an image may come in, once it is known by its digest and before anything but its manifest has come; null for every image.</summary>
    public ImageTrustPolicy? Trust { get; init; }

    /// <summary>Told how far it has come; from any thread, one after the other.</summary>
    public IProgress<TransferProgress>? Progress { get; init; }
}

/// <summary>When a registry is asked for an image that is to be run.</summary>
public enum PullPolicy
{
    /// <summary>Where the store has not got it.</summary>
    Missing,

    /// <summary>Each time: whether the tag leads elsewhere by now is asked, and only what is missing comes.</summary>
    Always,

    /// <summary>Never.</summary>
    Never,
}
