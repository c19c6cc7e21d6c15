namespace Isolation.Images;

public sealed partial class ImageStore
{
    /// <summary>
    /// Sends an image to a registry. Blobs that are there are not sent; those of another repository of the same registry are taken from that where it allows it.
    /// What breaks off goes on where it stood. The name leads to the image once all of it is there.
    /// </summary>
    /// <param name="image">Of this store.</param>
    /// <param name="options">How, and where to.</param>
    /// <param name="cancellationToken">Ends it; blobs that are there by then are not sent the next time.</param>
    /// <returns>What the name leads to by now.</returns>
    /// <exception cref="ArgumentException">The image has no name, and the options none for it.</exception>
    /// <exception cref="ImageException">A blob is missing or damaged, or the registry refuses or does not answer.</exception>
    public async Task<Descriptor> PushAsync(Image image, PushOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Parallelism, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegative(options.ChunkSize, nameof(options));
        ImageReference to = (options.Reference ?? image.Reference ?? throw new ArgumentException("The image has no name to be pushed to: give one with PushOptions.Reference.", nameof(image))).WithDefaultTag();
        Descriptor top = image.Descriptor;
        if (options.AllPlatforms)
        {
            ImageReference name = image.Reference ?? throw new ArgumentException("The image has no name, and so there is no index that it would lead to.", nameof(image));
            top = await Task.Run(() => Find(name), cancellationToken).ConfigureAwait(false) ?? throw new ImageException(ImageErrorReason.NotFound, $"The image {name} is not in the store '{Path}' any more");
        }

        if (to.Digest is { } digest && digest != top.Digest) throw new ArgumentException($"The image is {top.Digest}, and cannot be pushed as {digest}.", nameof(options));
        using StoreLease? lease = await KeepReadingAsync(cancellationToken).ConfigureAwait(false);
        return await new ImagePush(this, options.Client ?? RegistryClient.Shared, to, options).RunAsync(top, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As <see cref="KeepEverythingAsync"/>; null where the store cannot be written, and so not be collected either.</summary>
    private async Task<StoreLease?> KeepReadingAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await KeepEverythingAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ImageException exception) when (StoreOpening.IsReadOnly(exception))
        {
            return null;
        }
    }

    /// <summary>Other repositories of a registry that perhaps have a blob: those of images of the store with names there.</summary>
    internal ILookup<Digest, ImageReference> FindSources(ImageReference target)
    {
        List<(Digest, ImageReference)> sources = [];
        foreach (Descriptor descriptor in ReadIndex().Manifests)
        {
            if (ReferenceOf(descriptor) is not { } name || name.Domain != target.Domain || name.Path == target.Path) continue;
            try
            {
                if (Resolve(descriptor, name, Platform.Current) is { } image) sources.AddRange(PartsOf(image).Skip(1).Select(part => (part.Digest, name)));
            }
            catch (ImageException)
            {
                // A damaged one is no source.
            }
        }

        return sources.ToLookup(each => each.Item1, each => each.Item2);
    }
}
