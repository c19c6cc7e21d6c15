namespace Isolation.Images;

public sealed partial class ImageStore
{
    internal const string CollectLock = "collect";

    /// <summary>
    /// Removes the blobs and unpacked layers that no name leads to and nobody uses, and what broken-off pulls have left to go on from: what runs from an image of the store, loads
    /// into it or commits to it keeps what it needs, and lets go of it when its process ends, however it ends. While somebody
    /// loads or commits, nothing is removed. Other tools keep nothing: leave a store alone while one of them writes to it.
    /// </summary>
    /// <exception cref="ImageException">The store cannot be written, or its index or a manifest is damaged: then nobody knows what is needed, and nothing is removed.</exception>
    public async Task<CollectionResult> CollectAsync(CancellationToken cancellationToken = default)
    {
        using IDisposable held = await _files.LockAsync(CollectLock, cancellationToken).ConfigureAwait(false);
        return await Task.Run(() => Collect(cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Forgets the images that have no name (any more), and collects what that leaves.</summary>
    /// <inheritdoc cref="CollectAsync"/>
    public async Task<CollectionResult> PruneAsync(CancellationToken cancellationToken = default)
    {
        await UpdateAsync(manifests => manifests.RemoveAll(descriptor => ReferenceOf(descriptor) is null), cancellationToken).ConfigureAwait(false);
        return await CollectAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What the store takes on disk.</summary>
    /// <exception cref="ImageException">The index is damaged.</exception>
    public async Task<StoreUsage> GetUsageAsync(CancellationToken cancellationToken = default) => await Task.Run(() =>
    {
        FileInfo[] blobs = [.. _files.BlobPaths().Select(path => new FileInfo(path)).Where(blob => blob.Exists)]; // some may go meanwhile
        return new StoreUsage(ReadIndex().Manifests.Count(descriptor => ReferenceOf(descriptor) is not null), blobs.Length, blobs.Sum(blob => blob.Length), _files.LayerPaths().Length);
    }, cancellationToken).ConfigureAwait(false);

    /// <summary>Keeps all that there is and comes in for as long as it is held.</summary>
    internal async Task<StoreLease> KeepEverythingAsync(CancellationToken cancellationToken)
    {
        using IDisposable held = await _files.LockAsync(CollectLock, cancellationToken).ConfigureAwait(false);
        return StoreLease.Make(_files.Leases, [StoreLease.Everything]);
    }

    /// <summary>Keeps what images are made of; null where the store cannot be written, and so not be collected either.</summary>
    private async Task<StoreLease?> KeepAsync(IEnumerable<Image> images, CancellationToken cancellationToken)
    {
        try
        {
            using IDisposable held = await _files.LockAsync(CollectLock, cancellationToken).ConfigureAwait(false);
            return StoreLease.Make(_files.Leases, images.SelectMany(image => PartsOf(image).Select(part => part.Digest).Concat(image.Layers.Select(layer => layer.DiffId)).Concat(image.Layers is [] ? [] : [LayerDirectories.ChainOf(image.Layers)])).Select(digest => digest.ToString()).Distinct());
        }
        catch (ImageException exception) when (StoreOpening.IsReadOnly(exception))
        {
            return null;
        }
    }

    private static IEnumerable<Descriptor> PartsOf(Image image) => [image.Descriptor, image.Manifest.Config, .. image.Manifest.Layers];

    private CollectionResult Collect(CancellationToken cancellationToken)
    {
        TemporaryPlace.RemoveDead(_files.Temporary);
        HashSet<string> kept = StoreLease.ReadAll(_files.Leases);
        if (kept.Contains(StoreLease.Everything)) return default;
        StoreMarks marks = Mark();
        if (marks.Unreadable is { } unreadable) throw new ImageException(ImageErrorReason.Damaged, $"Nothing is collected: nobody knows what '{unreadable.Image}' needs", unreadable.Cause, "load or pull the image again, or remove its name");
        (int blobs, int layers, long bytes) = (0, 0, 0);
        foreach (string path in _files.BlobPaths())
        {
            cancellationToken.ThrowIfCancellationRequested();
            string name = DigestOf(path);
            if (kept.Contains(name) || (Digest.TryParse(name, out Digest? digest) && marks.Blobs.ContainsKey(digest))) continue;
            bytes += new FileInfo(path).Length;
            StoreCalls.Remove(path);
            blobs++;
        }

        foreach (string path in _files.LayerPaths())
        {
            cancellationToken.ThrowIfCancellationRequested();
            string name = LayerFiles.DiffIdOf(path) ?? "";
            if (kept.Contains(name) || (Digest.TryParse(name, out Digest? diffId) && marks.Layers.ContainsKey(diffId))) continue;
            _layers.Remove(path);
            layers++;
        }

        foreach (string path in _files.DirectoryPaths())
        {
            string name = LayerFiles.DiffIdOf(path) ?? "";
            if (!kept.Contains(name) && !(Digest.TryParse(name, out Digest? chain) && marks.Chains.ContainsKey(chain))) _directories.Remove(path);
        }

        PartialBlob.RemoveIdle(_files);
        _files.RemoveIdleLocks(new HashSet<string> { IndexLock, CollectLock });
        return new(blobs, layers, bytes);
    }

    private StoreMarks Mark()
    {
        StoreMarks marks = new();
        foreach (Descriptor descriptor in ReadIndex().Manifests) marks.Add(Blobs, descriptor, ReferenceOf(descriptor)?.ToString() ?? descriptor.Digest.ToString());
        return marks;
    }

    private static string DigestOf(string path) => $"{System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(path))}:{System.IO.Path.GetFileName(path)}";
}
