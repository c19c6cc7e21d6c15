namespace Isolation.Images;

public sealed partial class ImageStore
{
    /// <summary>
    /// Writes all that names lead to into one archive of OCI's kind, for a machine that reaches no registry: of an index the images for all
    /// platforms that are in the store (<see cref="PullOptions.AllPlatforms"/>), and what is said of them by other manifests of the store. <see cref="LoadAsync"/> takes it in.
    /// </summary>
    /// <param name="references">Each is in the store.</param>
    /// <param name="path">Of the archive; it is there when it is complete, and replaces what is there.</param>
    /// <param name="cancellationToken">Ends it; nothing is left then.</param>
    /// <exception cref="ImageException">One is not in the store, or something that it leads to is missing or damaged.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public Task SaveAllAsync(IReadOnlyList<ImageReference> references, string path, CancellationToken cancellationToken = default) =>
        ArchiveFile.WriteAsync(path, file => SaveAllArchiveAsync(references, file, cancellationToken));

    /// <summary>As the other, to a stream, which stays the caller's.</summary>
    /// <inheritdoc cref="SaveAllAsync"/>
    public async Task SaveAllArchiveAsync(IReadOnlyList<ImageReference> references, Stream archive, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(references);
        ArgumentNullException.ThrowIfNull(archive);
        if (references.Count == 0) throw new ArgumentException("There is no name.", nameof(references));
        using StoreLease? lease = await KeepReadingAsync(cancellationToken).ConfigureAwait(false);
        await Task.Factory.StartNew(() =>
        {
            (IEnumerable<Descriptor> blobs, byte[] index) = Gather(references);
            BufferedStream buffered = new(archive, 128 << 10);
            TarWriter writer = new(buffered);
            SaveOci(blobs, index, writer, cancellationToken);
            writer.Finish();
            buffered.Flush();
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
    }

    private (IEnumerable<Descriptor> Blobs, byte[] Index) Gather(IReadOnlyList<ImageReference> references)
    {
        StoreMarks marks = new();
        List<Descriptor> named = [];
        foreach (ImageReference reference in references.Select(each => each.WithDefaultTag()).Distinct())
        {
            Descriptor top = Find(reference) ?? throw NoImage(reference, Platform.Current);
            named.Add(Labelled(top, ReferenceOf(top)));
            marks.Add(Blobs, top, reference.ToString());
        }

        foreach (Digest subject in marks.Blobs.Keys.ToArray())
        {
            List<Descriptor> referrers = [];
            HashSet<Digest> seen = [];
            foreach (Descriptor descriptor in ReadIndex().Manifests) AddReferrers(descriptor, subject, referrers, seen, 0);
            foreach (Descriptor referrer in referrers.Where(each => !marks.Blobs.ContainsKey(each.Digest)))
            {
                named.Add(referrer);
                marks.Add(Blobs, referrer, referrer.Digest.ToString());
            }
        }

        if (marks.Unreadable is { } unreadable) throw new ImageException(ImageErrorReason.Damaged, $"What '{unreadable.Image}' leads to cannot be read", unreadable.Cause, "load or pull the image again");
        Descriptor[] blobs = [.. marks.Blobs.Values.Select(each => each.Descriptor).OrderBy(blob => blob.Digest.ToString(), StringComparer.Ordinal)];
        HashSet<Digest> absent = [.. blobs.Where(blob => !Blobs.Has(blob)).Select(blob => blob.Digest)];
        foreach (Descriptor manifest in blobs.Where(blob => MediaTypes.IsManifest(blob.MediaType) && !absent.Contains(blob.Digest)))
        {
            Manifest read = ReadAs(manifest, content => ImageJson.ReadManifest(content, manifest.MediaType));
            if (read.Layers.Append(read.Config).FirstOrDefault(part => absent.Contains(part.Digest)) is { } missing)
                throw new ImageException(ImageErrorReason.NotFound, $"The blob {missing.Digest} of the manifest {manifest.Digest} is not in the store '{Path}'", remedy: "load or pull the image again");
        }

        return (blobs.Where(blob => !absent.Contains(blob.Digest)), IndexOf(named));
    }
}
