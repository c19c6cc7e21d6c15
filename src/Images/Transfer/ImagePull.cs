namespace Isolation.Images;

/// <summary>One pull: from a name to an image of the store.</summary>
internal sealed class ImagePull(ImageStore store, RegistryClient client, ImageReference reference, PullOptions options)
{
    private readonly TransferMeter _meter = new(options.Progress);

    internal async Task<Image> RunAsync(CancellationToken cancellationToken)
    {
        Descriptor? known = store.FindDescriptor(reference);
        if (reference.Digest is null && known is not null) known = await client.FindManifestAsync(reference, cancellationToken).ConfigureAwait(false) is { } now && now.Digest == known.Digest ? known : null;
        if (known is not null && !options.Recheck && options.Trust is null && Whole(known) is { } there) return there;

        using StoreLease lease = await store.KeepEverythingAsync(cancellationToken).ConfigureAwait(false);
        (Descriptor top, byte[] content) = await GetManifestAsync(known, cancellationToken).ConfigureAwait(false);
        if (options.Trust is { } trust && await trust(new(client, reference, top), cancellationToken).ConfigureAwait(false) is { IsTrusted: false } verdict)
            throw new ImageException(ImageErrorReason.Untrusted, $"The image {reference}, which is {top.Digest}, is not trusted: {verdict.Reason ?? "PullOptions.Trust says so"}");
        store.Blobs.Put(top, content);
        Image image = await FetchAllAsync(top, cancellationToken).ConfigureAwait(false) ?? throw NotForPlatform(top);
        await store.NameAsync(top, reference, cancellationToken).ConfigureAwait(false);
        return image;
    }

    private Image? Whole(Descriptor known)
    {
        try
        {
            return store.FindWhole(known, reference, options);
        }
        catch (ImageException)
        {
            return null; // damaged: it comes again
        }
    }

    private ImageException NotForPlatform(Descriptor top)
    {
        string wanted = (options.Platform ?? Platform.Current).ToString();
        if (MediaTypes.IsIndex(top.MediaType)) return new(ImageErrorReason.NotFound, $"The image {reference} is for {store.PlatformsOf(top)}, and not for {wanted}", remedy: "say which is meant with PullOptions.Platform or WithPlatform");
        return store.Resolve(top, reference, null) is { } other
            ? new(ImageErrorReason.NotFound, $"The image {reference} is for {other.Platform}, and not for {wanted}", remedy: "say which is meant with PullOptions.Platform or WithPlatform")
            : new(ImageErrorReason.NotSupported, $"{reference} is no image, but another artifact: its configuration is of another type");
    }

    /// <summary>The manifest that the name leads to, or the one that the store knows it to.</summary>
    private async Task<(Descriptor, byte[])> GetManifestAsync(Descriptor? known, CancellationToken cancellationToken)
    {
        if (known is not null && store.Blobs.Has(known) && await store.Blobs.IsWholeAsync(known, cancellationToken).ConfigureAwait(false)) return (known with { Annotations = null }, store.Blobs.Read(known));
        RegistryManifest got = await client.GetManifestAsync(reference, cancellationToken).ConfigureAwait(false);
        return (got.Descriptor, got.Content.ToArray());
    }

    /// <summary>What a manifest or an index leads to, which is there.</summary>
    /// <returns>The image for the platform; null where there is none.</returns>
    private async Task<Image?> FetchAllAsync(Descriptor top, CancellationToken cancellationToken)
    {
        if (!MediaTypes.IsIndex(top.MediaType)) return await FetchImageAsync(top, options.Platform ?? Platform.Current, cancellationToken).ConfigureAwait(false);
        Dictionary<Digest, Manifest> others = [];
        await FetchIndexAsync(top, others, 0, cancellationToken).ConfigureAwait(false);
        if (store.ChooseManifest(top, options.Platform) is not { } chosen) return null;
        await FetchManifestAsync(chosen, cancellationToken).ConfigureAwait(false);
        Image? image = await FetchImageAsync(chosen, null, cancellationToken).ConfigureAwait(false);
        foreach ((_, Manifest other) in others.Where(each => each.Key != chosen.Digest)) await FetchLayersAsync(other, null, cancellationToken).ConfigureAwait(false);
        return image;
    }

    /// <summary>As much of an index as it takes to choose from it; where all is wanted, all manifests and their configurations.</summary>
    private async Task FetchIndexAsync(Descriptor descriptor, Dictionary<Digest, Manifest> wanted, int depth, CancellationToken cancellationToken)
    {
        if (depth == ImageStore.MostNested) throw new ImageException(ImageErrorReason.InvalidContent, $"The index of {reference} is more than {ImageStore.MostNested} indexes deep");
        foreach (Descriptor part in store.ReadModel(descriptor, content => ImageJson.ReadIndex(content, descriptor.MediaType)).Manifests)
        {
            if (MediaTypes.IsIndex(part.MediaType))
            {
                await FetchManifestAsync(part, cancellationToken).ConfigureAwait(false);
                await FetchIndexAsync(part, wanted, depth + 1, cancellationToken).ConfigureAwait(false);
            }
            else if (MediaTypes.IsManifest(part.MediaType) && (options.AllPlatforms || part.Platform is null))
            {
                // Where the index has no word of the platform, the configuration tells.
                await FetchManifestAsync(part, cancellationToken).ConfigureAwait(false);
                Manifest manifest = await FetchConfigAsync(part, cancellationToken).ConfigureAwait(false);
                if (options.AllPlatforms) wanted[part.Digest] = manifest;
            }
        }
    }

    private async Task FetchManifestAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        RegistryClient.RefuseUnusable(descriptor);
        if (await IsThereAsync(descriptor, cancellationToken).ConfigureAwait(false)) return;
        RegistryManifest got = await client.GetManifestAsync(reference.WithDigest(descriptor.Digest), cancellationToken).ConfigureAwait(false);
        if (got.Content.Length != descriptor.Size) throw new ImageException(ImageErrorReason.SizeMismatch, $"The manifest {descriptor.Digest} has {got.Content.Length} bytes, and its descriptor says {descriptor.Size}");
        if (got.Descriptor.MediaType != descriptor.MediaType) throw new ImageException(ImageErrorReason.InvalidContent, $"The manifest {descriptor.Digest} is a '{got.Descriptor.MediaType}', and its descriptor says '{descriptor.MediaType}'");
        store.Blobs.Put(descriptor, got.Content.Span);
    }

    private async Task<Manifest> FetchConfigAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        Manifest manifest = store.ReadModel(descriptor, content => ImageJson.ReadManifest(content, descriptor.MediaType));
        Descriptor config = manifest.Config;
        if (config.Size > ImageJson.Longest) throw new ImageException(ImageErrorReason.TooLarge, $"The configuration {config.Digest} has {config.Size} bytes, and {ImageJson.Longest} are read at most");
        await FetchBlobAsync(config, cancellationToken).ConfigureAwait(false);
        return manifest;
    }

    /// <param name="descriptor">Of its manifest, which is there.</param>
    /// <param name="platform">What it must be for; null for any.</param>
    /// <param name="cancellationToken">Ends it.</param>
    private async Task<Image?> FetchImageAsync(Descriptor descriptor, Platform? platform, CancellationToken cancellationToken)
    {
        Manifest manifest = await FetchConfigAsync(descriptor, cancellationToken).ConfigureAwait(false);
        if (store.Resolve(descriptor, reference, null) is not { } image || (platform is not null && platform.Choose([image.Platform]) is null)) return null;
        await FetchLayersAsync(manifest, options.Unpack ? image : null, cancellationToken).ConfigureAwait(false);
        return image;
    }

    /// <param name="manifest">Whose.</param>
    /// <param name="unpacked">The image whose layers are to become directories; null for blobs alone.</param>
    /// <param name="cancellationToken">Ends it.</param>
    private async Task FetchLayersAsync(Manifest manifest, Image? unpacked, CancellationToken cancellationToken)
    {
        _meter.Expect([manifest.Config, .. manifest.Layers], manifest.Layers.Length);
        _meter.Finish(manifest.Config, isLayer: false);
        ParallelOptions parallel = new() { MaxDegreeOfParallelism = options.Parallelism, CancellationToken = cancellationToken };
        try
        {
            await Parallel.ForEachAsync(Enumerable.Range(0, manifest.Layers.Length), parallel, async (i, token) =>
            {
                Descriptor layer = manifest.Layers[i];
                if (unpacked is not null) await FetchLayerAsync(unpacked.Layers[i], token).ConfigureAwait(false);
                else await FetchBlobAsync(layer, token).ConfigureAwait(false);
                _meter.Finish(layer, isLayer: true);
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    private Task<bool> IsThereAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
        options.Recheck ? store.Blobs.IsWholeAsync(descriptor, cancellationToken) : Task.FromResult(store.Blobs.Has(descriptor));

    /// <summary>A blob as it is.</summary>
    private async Task FetchBlobAsync(Descriptor blob, CancellationToken cancellationToken)
    {
        RegistryClient.RefuseUnusable(blob);
        if (await IsThereAsync(blob, cancellationToken).ConfigureAwait(false)) return;
        using IDisposable held = await store.Files.LockAsync(PartialBlob.LockOf(blob.Digest), cancellationToken).ConfigureAwait(false);
        if (await IsThereAsync(blob, cancellationToken).ConfigureAwait(false)) return; // somebody was faster
        await DownloadAsync(blob, stream => CheckAsync(stream, blob, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A layer, and its directory.</summary>
    private async Task FetchLayerAsync(ImageLayer layer, CancellationToken cancellationToken)
    {
        Descriptor blob = layer.Descriptor;
        RegistryClient.RefuseUnusable(blob);
        if (!await IsThereAsync(blob, cancellationToken).ConfigureAwait(false))
        {
            using IDisposable held = await store.Files.LockAsync(PartialBlob.LockOf(blob.Digest), cancellationToken).ConfigureAwait(false);
            if (!await IsThereAsync(blob, cancellationToken).ConfigureAwait(false)) // somebody may have been faster
            {
                await DownloadAsync(blob, async stream =>
                {
                    if (!await store.Layers.TryUnpackAsync(layer, stream, cancellationToken).ConfigureAwait(false)) await CheckAsync(stream, blob, cancellationToken).ConfigureAwait(false);
                }, cancellationToken).ConfigureAwait(false);
            }
        }

        try
        {
            await store.Layers.UnpackAsync(layer, cancellationToken).ConfigureAwait(false);
        }
        catch (ImageException exception) when (exception.Reason is ImageErrorReason.DigestMismatch or ImageErrorReason.InvalidContent or ImageErrorReason.Damaged && !options.Recheck)
        {
            // The blob that was there is damaged perhaps: it is, or comes anew, or it was pushed so.
            if (await store.Blobs.IsWholeAsync(blob, cancellationToken).ConfigureAwait(false)) throw;
            await new ImagePull(store, client, reference, options with { Recheck = true, Progress = null }).FetchLayerAsync(layer, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>To be called with the lock of the blob. What was left by an earlier try and turns out to be something else is thrown away, and all of it comes anew.</summary>
    private async Task DownloadAsync(Descriptor blob, Func<Stream, Task> read, CancellationToken cancellationToken)
    {
        if (blob.Size > store.LayerBounds.Bytes) throw new ImageException(ImageErrorReason.TooLarge, $"The blob {blob.Digest} has {blob.Size} bytes, and {store.LayerBounds.Bytes} are taken at most", remedy: "where that is meant, say so with ImageStoreOptions.LayerBounds");
        for (bool isFirst = true; ; isFirst = false)
        {
            using PartialBlob partial = PartialBlob.Open(store.Files, blob);
            try
            {
                BlobDownload download = new(client, reference, blob, partial, count => _meter.Add(blob, count));
                await using (download.ConfigureAwait(false)) await read(download).ConfigureAwait(false);
                partial.Publish(blob.Digest);
                return;
            }
            catch (ImageException exception) when (exception.Reason is not (ImageErrorReason.Unreachable or ImageErrorReason.Throttled or ImageErrorReason.RegistryFailed or ImageErrorReason.Unauthorized))
            {
                partial.Remove(); // what is wrong is so the next time too, and a full disk needs the room
                if (!isFirst || partial.Kept == 0 || exception.Reason == ImageErrorReason.NoSpace) throw;
            }
        }
    }

    private static async Task CheckAsync(Stream stream, Descriptor blob, CancellationToken cancellationToken)
    {
        using System.Security.Cryptography.IncrementalHash hash = blob.Digest.StartHash();
        await new HashingStream(stream, hash).CopyToAsync(Stream.Null, 128 << 10, cancellationToken).ConfigureAwait(false);
        if (blob.Digest.Finish(hash) is { } got && got != blob.Digest) throw new ImageException(ImageErrorReason.DigestMismatch, $"The blob that should be {blob.Digest} is {got}");
    }
}
