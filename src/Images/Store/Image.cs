using System.Collections.Immutable;

namespace Isolation.Images;

/// <summary>An image of a store for one platform: its manifest and its configuration. Immutable, and says nothing of whether it still is in the store.</summary>
public sealed class Image
{
    internal Image(ImageReference? reference, Descriptor descriptor, Manifest manifest, ImageConfig config)
    {
        (Reference, Descriptor, Manifest, Config) = (reference, descriptor, manifest, config);
        Layers = [.. manifest.Layers.Zip(config.RootFs.DiffIds, (layer, diffId) => new ImageLayer(layer, diffId))];
    }

    /// <summary>The name by which it was found; null where it has none.</summary>
    public ImageReference? Reference { get; }

    /// <summary>Of the manifest.</summary>
    public Descriptor Descriptor { get; }

    /// <summary>What the image is: the digest of its manifest.</summary>
    public Digest Digest => Descriptor.Digest;

    /// <summary>What it is made of.</summary>
    public Manifest Manifest { get; }

    /// <summary>How it is run, and how it came to be.</summary>
    public ImageConfig Config { get; }

    /// <summary>What it runs on.</summary>
    public Platform Platform => Config.Platform;

    /// <summary>From the lowest to the topmost.</summary>
    public ImmutableArray<ImageLayer> Layers { get; }

    /// <summary>How it came to be, from the lowest layer on; empty where nobody wrote it down.</summary>
    public ImmutableArray<HistoryEntry> History => Config.History ?? [];

    /// <summary>The images it was made of by <c>CommitAsync</c>, the nearest first; of an image of another tool at most the one that it names as its base. They need not be in the store.</summary>
    public ImmutableArray<ImageParent> Parents => ImageParent.Of(Manifest);

    /// <summary>Its name, or its digest.</summary>
    public override string ToString() => Reference?.ToFamiliarString() ?? Digest.ToString();
}

/// <summary>A layer of an image.</summary>
/// <param name="Descriptor">Of the blob.</param>
/// <param name="DiffId">Of the archive in it.</param>
public sealed record ImageLayer(Descriptor Descriptor, Digest DiffId);
