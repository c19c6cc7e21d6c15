namespace Isolation.Images;

public sealed partial class ImageStore
{
    /// <summary>
    /// Fetches an image from its registry, or from a mirror of it. Layers come several at once; each is checked, decompressed and unpacked as it passes by.
    /// What is there is not asked for: where everything is, there is one request for what the name leads to, and none for a name
    /// with a digest. What was cancelled, broke off or was killed goes on where it stood, and who pulls the same at the same time, in any
    /// process, waits for it. The image has its name once all of it is on disk.
    /// </summary>
    /// <param name="reference">Without tag and digest, <c>latest</c> is meant.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Ends it; what has come is kept for the next time.</param>
    /// <returns>The image for the platform that was asked for.</returns>
    /// <exception cref="ImageException">It is not to be had, not for this platform, not what it should be, or not trusted; or it cannot be written.</exception>
    public async Task<Image> PullAsync(ImageReference reference, PullOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Parallelism, 1, nameof(options));
        return await new ImagePull(this, options.Client ?? RegistryClient.Shared, reference.WithDefaultTag(), options).RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What the store has under a name, whole and as a pull with these options would leave it; null where something is missing.</summary>
    internal Image? FindWhole(Descriptor descriptor, ImageReference reference, PullOptions options)
    {
        if (!Blobs.Has(descriptor)) return null;
        if (options.AllPlatforms && MediaTypes.IsIndex(descriptor.MediaType) && !AreWhole(descriptor, 0)) return null;
        if (MediaTypes.IsIndex(descriptor.MediaType) && ChooseManifest(descriptor, options.Platform) is { } chosen && !(Blobs.Has(chosen) && IsWhole(chosen))) return null;
        if (MediaTypes.IsManifest(descriptor.MediaType) && !IsWhole(descriptor)) return null;
        return Resolve(descriptor, reference, options.Platform ?? Platform.Current) is { } image && (!options.Unpack || image.Layers.All(layer => _layers.Find(layer) is not null)) ? image : null;
    }

    /// <summary>The manifest of an index that is for a platform; null where none is.</summary>
    internal Descriptor? ChooseManifest(Descriptor index, Platform? platform)
    {
        List<(Descriptor Manifest, Platform? Platform)> offered = Offered(index);
        return (platform ?? Platform.Current).Choose([.. offered.Select(each => each.Platform)]) is { } chosen ? offered[chosen].Manifest : null;
    }

    /// <summary>What an index is for, in words.</summary>
    internal string PlatformsOf(Descriptor index) => string.Join(" and ", Offered(index).Select(each => each.Platform?.ToString()).OfType<string>().Distinct());

    internal T ReadModel<T>(Descriptor descriptor, Func<byte[], T> read) => ReadAs(descriptor, read);

    private bool IsWhole(Descriptor manifest)
    {
        Manifest read = ReadAs(manifest, content => ImageJson.ReadManifest(content, manifest.MediaType));
        return read.Layers.Append(read.Config).All(Blobs.Has);
    }

    private bool AreWhole(Descriptor index, int depth) => depth < MostNested && ReadAs(index, content => ImageJson.ReadIndex(content, index.MediaType)).Manifests.All(part =>
        Blobs.Has(part) && (MediaTypes.IsIndex(part.MediaType) ? AreWhole(part, depth + 1) : !MediaTypes.IsManifest(part.MediaType) || IsWhole(part)));

    /// <summary>Where a name leads in the store; null where nowhere.</summary>
    internal Descriptor? FindDescriptor(ImageReference reference) => Find(reference);

    internal LayerBounds LayerBounds => _options.LayerBounds;

    internal LayerFiles Layers => _layers;

    internal StoreFiles Files => _files;
}
