using System.Collections.Immutable;
using Isolation.Linux;

namespace Isolation.Images;

public sealed partial class ImageStore
{
    /// <summary>A new image: another one, and a layer over it.</summary>
    /// <param name="below">The image below.</param>
    /// <param name="upper">What an overlay has written.</param>
    /// <param name="pack">How it becomes a layer.</param>
    /// <param name="options">What the image is to be.</param>
    /// <param name="cancellationToken">Ends it; nothing is left then.</param>
    /// <exception cref="ImageException">A file cannot be read, or be in an image; or the store cannot be written.</exception>
    internal async Task<Image> CommitAsync(Image below, FileDescriptor upper, PackOptions pack, CommitOptions options, CancellationToken cancellationToken)
    {
        using StoreLease lease = await KeepEverythingAsync(cancellationToken).ConfigureAwait(false);
        (Descriptor layer, Digest diffId) = await PackAsync(upper, pack with { Compression = options.Compression, LatestTime = options.Created }, cancellationToken).ConfigureAwait(false);
        return await MakeAsync(below.Config, below.Manifest.Layers, layer, diffId, options, ImageParent.Annotations(below), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>An image of one more layer than there was.</summary>
    private async Task<Image> MakeAsync(ImageConfig below, ImmutableArray<Descriptor> layers, Descriptor layer, Digest diffId, CommitOptions options, ImmutableSortedDictionary<string, string>? annotations, CancellationToken cancellationToken)
    {
        DateTimeOffset created = options.Created ?? DateTimeOffset.UtcNow;
        ProgramConfig program = below.Config ?? new();
        ImageConfig config = below with
        {
            Created = created,
            Author = options.Author ?? below.Author,
            Config = options.Configure?.Invoke(program) ?? program,
            RootFs = below.RootFs with { DiffIds = below.RootFs.DiffIds.Add(diffId) },
            History = (below.History ?? []).Add(new() { Created = created, Author = options.Author, CreatedBy = options.CreatedBy, Comment = options.Comment }),
        };
        Manifest manifest = new()
        {
            SchemaVersion = 2, MediaType = MediaTypes.Manifest, Annotations = annotations,
            Config = Blobs.Put(MediaTypes.Config, ImageJson.ToUtf8(config, ImageModel.Default.ImageConfig)),
            Layers = [.. layers.Select(old => old with { MediaType = MediaTypes.OciOf(old.MediaType) }), layer],
        };
        Descriptor descriptor = Blobs.Put(MediaTypes.Manifest, ImageJson.ToUtf8(manifest, ImageModel.Default.Manifest));
        ImageReference? reference = options.Reference?.WithDefaultTag();
        await NameAsync(descriptor, reference, cancellationToken).ConfigureAwait(false);
        return new(reference, descriptor, manifest, config);
    }

    /// <summary>A tree as a blob.</summary>
    private Task<(Descriptor Layer, Digest DiffId)> PackAsync(FileDescriptor tree, PackOptions options, CancellationToken cancellationToken) =>
        PackAsync((file, token) => LayerPacker.PackAsync(tree, options, file, token), options.Compression, cancellationToken);

    private async Task<(Descriptor Layer, Digest DiffId)> PackAsync(Func<Stream, CancellationToken, Task<PackedLayer>> write, LayerCompression compression, CancellationToken cancellationToken)
    {
        using TemporaryPlace place = _files.MakeTemporary();
        string path = System.IO.Path.Join(place.Path, "blob");
        PackedLayer packed;
        using (NewFile file = NewFile.Create(path))
        using (BufferedStream buffered = new(file, 128 << 10))
        {
            packed = await write(buffered, cancellationToken).ConfigureAwait(false);
            await buffered.FlushAsync(cancellationToken).ConfigureAwait(false);
            file.Sync();
        }

        _files.PublishBlob(path, packed.Blob);
        string type = compression switch { LayerCompression.Gzip => MediaTypes.LayerGzip, LayerCompression.Zstd => MediaTypes.LayerZstd, _ => MediaTypes.Layer };
        return (new() { MediaType = type, Digest = packed.Blob, Size = packed.BlobSize }, packed.DiffId);
    }
}
