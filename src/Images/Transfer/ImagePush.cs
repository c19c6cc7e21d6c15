namespace Isolation.Images;

/// <summary>One push: blobs, then the manifests that name them, then what names those.</summary>
internal sealed class ImagePush(ImageStore store, RegistryClient client, ImageReference to, PushOptions options)
{
    private readonly TransferMeter _meter = new(options.Progress);
    private readonly ILookup<Digest, ImageReference> _sources = store.FindSources(to);
    private readonly HashSet<Digest> _sent = [];

    internal Task<Descriptor> RunAsync(Descriptor top, CancellationToken cancellationToken) => PushAsync(top, to, 0, cancellationToken);

    private async Task<Descriptor> PushAsync(Descriptor descriptor, ImageReference name, int depth, CancellationToken cancellationToken)
    {
        if (depth == ImageStore.MostNested) throw new ImageException(ImageErrorReason.InvalidContent, $"The index of {to} is more than {ImageStore.MostNested} indexes deep");
        byte[] content = store.Blobs.Read(descriptor);
        if (MediaTypes.IsIndex(descriptor.MediaType))
        {
            foreach (Descriptor part in store.ReadModel(descriptor, read => ImageJson.ReadIndex(read, descriptor.MediaType)).Manifests)
            {
                if (!store.Blobs.Has(part)) throw new ImageException(ImageErrorReason.NotFound, $"The index {descriptor.Digest} names {part.Digest}{(part.Platform is { } platform ? $" for {platform.ToPlatform()}" : "")}, which is not in the store", remedy: "pull it with PullOptions.AllPlatforms, or push only the image without PushOptions.AllPlatforms");
                if (_sent.Add(part.Digest)) await PushAsync(part, to.WithDigest(part.Digest), depth + 1, cancellationToken).ConfigureAwait(false);
            }
        }
        else
        {
            Manifest manifest = store.ReadModel(descriptor, read => ImageJson.ReadManifest(read, descriptor.MediaType));
            await PushBlobsAsync(manifest, cancellationToken).ConfigureAwait(false);
        }

        return await client.PutManifestAsync(name, descriptor.MediaType, content, cancellationToken).ConfigureAwait(false);
    }

    private async Task PushBlobsAsync(Manifest manifest, CancellationToken cancellationToken)
    {
        _meter.Expect([manifest.Config, .. manifest.Layers], manifest.Layers.Length);
        Descriptor[] blobs = [.. manifest.Layers.Append(manifest.Config).DistinctBy(blob => blob.Digest).Where(blob => _sent.Add(blob.Digest))];
        foreach (Descriptor blob in blobs)
            if (!IsElsewhere(blob) && !store.Blobs.Has(blob)) throw new ImageException(ImageErrorReason.NotFound, $"The blob {blob.Digest} is not in the store '{store.Path}'", remedy: "load or pull the image again");
        ParallelOptions parallel = new() { MaxDegreeOfParallelism = options.Parallelism, CancellationToken = cancellationToken };
        try
        {
            await Parallel.ForEachAsync(blobs, parallel, async (blob, token) =>
            {
                if (!IsElsewhere(blob)) await PushBlobAsync(blob, token).ConfigureAwait(false);
                _meter.Finish(blob, isLayer: blob != manifest.Config);
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    private Task<bool> PushBlobAsync(Descriptor blob, CancellationToken cancellationToken)
    {
        BlobUploadOptions upload = new(options.ChunkSize, _sources[blob.Digest].FirstOrDefault(), count => _meter.Add(blob, count));
        return new BlobUpload(client, to, blob, _ => ValueTask.FromResult<Stream>(store.Blobs.Open(blob)), upload).RunAsync(cancellationToken);
    }

    /// <summary>A layer that is not to be passed on stays where its descriptor says that it is.</summary>
    private static bool IsElsewhere(Descriptor blob) =>
        blob.Urls is { IsDefaultOrEmpty: false } && (blob.MediaType.StartsWith(MediaTypes.LayerRestricted, StringComparison.Ordinal) || blob.MediaType.StartsWith(MediaTypes.DockerLayerForeign, StringComparison.Ordinal));
}
