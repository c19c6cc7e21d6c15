using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Isolation.Images;

public sealed partial class ImageStore
{
    private static readonly (long, uint) SavedTime = (0, 0); // the same images give the same archive

    /// <summary>Writes images to an archive or a directory, under the names by which they were found. The same images give the same bytes.</summary>
    /// <param name="images">Of this store.</param>
    /// <param name="path">Of the archive; it is there when it is complete, and replaces what is there. A directory must not be there, or be empty.</param>
    /// <param name="format">Of which kind.</param>
    /// <param name="cancellationToken">Ends it; nothing is left then.</param>
    /// <exception cref="ImageException">A blob is missing or damaged.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public Task SaveAsync(IReadOnlyList<Image> images, string path, ArchiveFormat format = ArchiveFormat.Oci, CancellationToken cancellationToken = default) =>
        format == ArchiveFormat.Layout ? SaveLayoutAsync(images, path, cancellationToken) : ArchiveFile.WriteAsync(path, file => SaveArchiveAsync(images, file, format, cancellationToken));

    /// <summary>As the other, to a stream, which stays the caller's.</summary>
    /// <inheritdoc cref="SaveAsync"/>
    public async Task SaveArchiveAsync(IReadOnlyList<Image> images, Stream archive, ArchiveFormat format = ArchiveFormat.Oci, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(archive);
        if (images.Count == 0) throw new ArgumentException("There is no image.", nameof(images));
        if (format is not (ArchiveFormat.Oci or ArchiveFormat.Docker)) throw new ArgumentOutOfRangeException(nameof(format), format, "There is no such archive.");
        using StoreLease? lease = await KeepAsync(images, cancellationToken).ConfigureAwait(false);
        await Task.Factory.StartNew(() =>
        {
            BufferedStream buffered = new(archive, 128 << 10);
            TarWriter writer = new(buffered);
            if (format == ArchiveFormat.Oci) SaveOci(BlobsOf(images), IndexOf(images), writer, cancellationToken);
            else SaveDocker(images, writer, cancellationToken);
            writer.Finish();
            buffered.Flush();
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
    }

    private async Task SaveLayoutAsync(IReadOnlyList<Image> images, string path, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (images.Count == 0) throw new ArgumentException("There is no image.", nameof(images));
        string full = System.IO.Path.GetFullPath(path), unfinished = $"{full}.{Guid.NewGuid().ToString("N")[..8]}.part";
        if (File.Exists(full) || (Directory.Exists(full) && Directory.EnumerateFileSystemEntries(full).Any())) throw new ImageException(ImageErrorReason.Conflict, $"'{path}' is there, and not empty", remedy: "name another directory");
        try
        {
            foreach (Descriptor blob in BlobsOf(images))
            {
                string file = System.IO.Path.Join(unfinished, "blobs", blob.Digest.Algorithm, blob.Digest.Encoded);
                Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
                FileStream from = Blobs.Open(blob), to = new(file, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 });
                await using (from.ConfigureAwait(false))
                await using (to.ConfigureAwait(false))
                {
                    using IncrementalHash hash = blob.Digest.StartHash();
                    await new HashingStream(from, hash).CopyToAsync(to, 128 << 10, cancellationToken).ConfigureAwait(false);
                    RefuseDamaged(blob.Digest, hash);
                    to.Flush(flushToDisk: true);
                }
            }

            await File.WriteAllBytesAsync(System.IO.Path.Join(unfinished, StoreFiles.IndexName), IndexOf(images), cancellationToken).ConfigureAwait(false);
            await File.WriteAllBytesAsync(System.IO.Path.Join(unfinished, "oci-layout"), Layout.ToArray(), cancellationToken).ConfigureAwait(false);
            if (Directory.Exists(full)) Directory.Delete(full);
            Directory.Move(unfinished, full);
        }
        finally
        {
            if (Directory.Exists(unfinished)) Directory.Delete(unfinished, recursive: true);
        }
    }

    private static ReadOnlySpan<byte> Layout => "{\"imageLayoutVersion\":\"1.0.0\"}"u8;

    private static byte[] IndexOf(IReadOnlyList<Image> images) => IndexOf(images.Select(image => Labelled(image.Descriptor, image.Reference)));

    private static byte[] IndexOf(IEnumerable<Descriptor> manifests) => ImageJson.ToUtf8(new ImageIndex { SchemaVersion = 2, MediaType = MediaTypes.Index, Manifests = [.. manifests] }, ImageModel.Default.ImageIndex);

    private static Descriptor Labelled(Descriptor descriptor, ImageReference? reference)
    {
        ImmutableSortedDictionary<string, string> annotations = (descriptor.Annotations ?? ImmutableSortedDictionary<string, string>.Empty).Remove(ReferenceName);
        if (reference is not null) annotations = annotations.SetItem(ReferenceName, reference.ToString()).SetItem(ContainerdName, reference.ToString());
        return descriptor with { Annotations = annotations.IsEmpty ? null : annotations };
    }

    private static IEnumerable<Descriptor> BlobsOf(IReadOnlyList<Image> images) =>
        images.SelectMany(image => (IEnumerable<Descriptor>)[image.Descriptor, image.Manifest.Config, .. image.Manifest.Layers]).DistinctBy(blob => blob.Digest).OrderBy(blob => blob.Digest.ToString(), StringComparer.Ordinal);

    private static void RefuseDamaged(Digest expected, IncrementalHash hash)
    {
        Digest got = expected.Finish(hash);
        if (got != expected) throw new ImageException(ImageErrorReason.Damaged, $"The blob {expected} is {got}", remedy: "load or pull the image again");
    }

    private void SaveOci(IEnumerable<Descriptor> blobs, byte[] index, TarWriter writer, CancellationToken cancellationToken)
    {
        foreach (Descriptor blob in blobs)
        {
            using FileStream content = Blobs.Open(blob);
            using IncrementalHash hash = blob.Digest.StartHash();
            Save(writer, $"blobs/{blob.Digest.Algorithm}/{blob.Digest.Encoded}", content, cancellationToken, hash);
            RefuseDamaged(blob.Digest, hash);
        }

        Save(writer, StoreFiles.IndexName, new MemoryStream(index), cancellationToken);
        Save(writer, "oci-layout", new MemoryStream(Layout.ToArray()), cancellationToken);
    }

    private void SaveDocker(IReadOnlyList<Image> images, TarWriter writer, CancellationToken cancellationToken)
    {
        HashSet<string> written = [];
        List<DockerArchiveImage> list = [];
        foreach (IGrouping<Digest, Image> same in images.GroupBy(image => image.Digest))
        {
            Image image = same.First();
            string config = $"{image.Manifest.Config.Digest.Encoded}.json";
            if (written.Add(config)) Save(writer, config, new MemoryStream(Blobs.Read(image.Manifest.Config)), cancellationToken);
            List<string> layers = [];
            foreach (ImageLayer layer in image.Layers)
            {
                string name = $"{layer.DiffId.Encoded}/layer.tar";
                layers.Add(name);
                if (written.Add(name)) SaveLayer(writer, name, layer, cancellationToken);
            }

            list.Add(new(config, [.. same.Select(named => named.Reference).Where(name => name?.Tag is not null).Select(name => $"{name!.FamiliarName}:{name.Tag}")], [.. layers]));
        }

        Save(writer, "manifest.json", new MemoryStream(ImageJson.ToUtf8([.. list], ImageModel.Default.DockerArchiveImageArray)), cancellationToken);
    }

    /// <summary>Its length comes first in an archive, and is known only when it is decompressed.</summary>
    private void SaveLayer(TarWriter writer, string name, ImageLayer layer, CancellationToken cancellationToken)
    {
        using TemporaryPlace place = _files.MakeTemporary();
        string path = System.IO.Path.Join(place.Path, "layer");
        using IncrementalHash blobHash = layer.Descriptor.Digest.StartHash(), archiveHash = layer.DiffId.StartHash();
        using (FileStream blob = Blobs.Open(layer.Descriptor))
        using (NewFile file = NewFile.Create(path))
        {
            HashingStream source = new(blob, blobHash);
            using Stream archive = LayerUnpacker.OpenArchiveAsync(source, cancellationToken).AsTask().GetAwaiter().GetResult();
            CountingStream target = new(file, archiveHash);
            archive.CopyTo(target, 128 << 10);
        }

        Digest got = layer.DiffId.Finish(archiveHash);
        if (got != layer.DiffId) throw new ImageException(ImageErrorReason.Damaged, $"The layer {layer.Descriptor.Digest} becomes {got}, and the image's configuration says {layer.DiffId}");
        using FileStream content = File.OpenRead(path);
        Save(writer, name, content, cancellationToken);
    }

    private static void Save(TarWriter writer, string name, Stream content, CancellationToken cancellationToken, IncrementalHash? hash = null)
    {
        writer.Begin(new TarEntry { Name = Encoding.UTF8.GetBytes(name), Type = TarType.Regular, Mode = 0x1A4, Size = content.Length, StoredSize = content.Length, Modified = SavedTime });
        byte[] buffer = new byte[128 << 10];
        for (long left = content.Length; left > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = content.Read(buffer.AsSpan(0, (int)Math.Min(left, buffer.Length)));
            if (count == 0) throw new ImageException(ImageErrorReason.Damaged, $"'{name}' became shorter while it was read");
            hash?.AppendData(buffer, 0, count);
            writer.Write(buffer.AsSpan(0, count));
            left -= count;
        }
    }
}
