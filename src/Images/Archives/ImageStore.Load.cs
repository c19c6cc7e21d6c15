using System.Collections.Immutable;
using System.IO.Compression;
using Isolation.Linux;

namespace Isolation.Images;

public sealed partial class ImageStore
{
    private const string ContainerdName = "io.containerd.image.name";

    /// <summary>
    /// Takes images in from a file or directory: an archive of docker-save(1), an archive of an OCI layout, or such a
    /// layout; archives as they are or compressed with gzip, zstd or bzip2. What is there already is not written again.
    /// </summary>
    /// <exception cref="ImageException">It is damaged, or none of these.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public async Task<IReadOnlyList<Image>> LoadAsync(string path, LoadOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path)) return await LoadLayoutAsync(path, options ?? new(), cancellationToken).ConfigureAwait(false);
        FileStream stream = new(path, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan });
        await using (stream.ConfigureAwait(false)) return await LoadArchiveAsync(stream, options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As the other, from an archive that is read to its end and stays the caller's.</summary>
    /// <inheritdoc cref="LoadAsync"/>
    public async Task<IReadOnlyList<Image>> LoadArchiveAsync(Stream archive, LoadOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(archive);
        options ??= new();
        using StoreLease lease = await KeepEverythingAsync(cancellationToken).ConfigureAwait(false);
        HashingStream source = new(archive, null, options.Progress); // each file in it has a digest, and it has none
        Stream opened = await OpenAsync(source, cancellationToken).ConfigureAwait(false);
        await using (opened.ConfigureAwait(false))
        {
            SpooledArchive spooled = await Task.Factory.StartNew(() => Spool(opened, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
            using (spooled)
            {
                if (spooled.Has(StoreFiles.IndexName)) return await LoadIndexAsync(spooled.ReadAll(StoreFiles.IndexName), digest => Take(spooled, digest), options, cancellationToken).ConfigureAwait(false);
                if (spooled.Has("manifest.json")) return await LoadDockerAsync(spooled, options, cancellationToken).ConfigureAwait(false);
            }
        }

        throw new ImageException(ImageErrorReason.NotSupported, "The archive is none of images: it has neither index.json nor manifest.json", remedy: "make it with docker save, podman save or skopeo copy");
    }

    private SpooledArchive Spool(Stream archive, CancellationToken cancellationToken)
    {
        try
        {
            return SpooledArchive.Read(archive, _files.MakeTemporary(), _options.LayerBounds, cancellationToken);
        }
        catch (Exception exception) when (IsBrokenCompression(exception))
        {
            throw BrokenCompression(exception);
        }
    }

    private static bool IsBrokenCompression(Exception exception) => exception is InvalidDataException or EndOfStreamException or ZstdSharp.ZstdException or ICSharpCode.SharpZipLib.SharpZipBaseException;

    private static ImageException BrokenCompression(Exception cause) => new(ImageErrorReason.InvalidContent, "The archive cannot be decompressed: it is damaged, or ends too soon", cause);

    private static async Task<Stream> OpenAsync(HashingStream source, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> start = await source.PeekAsync(6, cancellationToken).ConfigureAwait(false);
        return start.Span switch
        {
            [0x1f, 0x8b, ..] => new GZipStream(source, CompressionMode.Decompress, leaveOpen: true),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => new ZstdSharp.DecompressionStream(source, leaveOpen: true),
            [(byte)'B', (byte)'Z', (byte)'h', ..] => OpenBZip2(source),
            [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0] => throw new ImageException(ImageErrorReason.NotSupported, "The archive is compressed with xz", remedy: "decompress it first: xz -d"),
            _ => source,
        };
    }

    /// <summary>Reads the first block at once.</summary>
    private static ICSharpCode.SharpZipLib.BZip2.BZip2InputStream OpenBZip2(HashingStream source)
    {
        try
        {
            return new(source) { IsStreamOwner = false };
        }
        catch (Exception exception) when (IsBrokenCompression(exception))
        {
            throw BrokenCompression(exception);
        }
    }

    private async Task<IReadOnlyList<Image>> LoadLayoutAsync(string path, LoadOptions options, CancellationToken cancellationToken)
    {
        string index = System.IO.Path.Join(path, StoreFiles.IndexName);
        if (!File.Exists(index)) throw new ImageException(ImageErrorReason.NotSupported, $"The directory '{path}' is no OCI layout: it has no {StoreFiles.IndexName}");
        using StoreLease lease = await KeepEverythingAsync(cancellationToken).ConfigureAwait(false);
        if (new FileInfo(index).Length > ImageJson.Longest) throw new ImageException(ImageErrorReason.TooLarge, $"'{index}' has more than {ImageJson.Longest} bytes");
        return await LoadIndexAsync(await File.ReadAllBytesAsync(index, cancellationToken).ConfigureAwait(false), CopyAsync, options, cancellationToken).ConfigureAwait(false);

        async Task<bool> CopyAsync(Digest digest)
        {
            FileInfo file = new(System.IO.Path.Join(path, "blobs", digest.Algorithm, digest.Encoded));
            if (!file.Exists) return false;
            FileStream stream = file.OpenRead();
            await using (stream.ConfigureAwait(false)) await Blobs.PutAsync(stream, digest, cancellationToken).ConfigureAwait(false);
            return true;
        }
    }

    /// <summary>A blob of an archive becomes one of the store: it was written on the same file system, and is moved.</summary>
    private async Task<bool> Take(SpooledArchive spooled, Digest digest)
    {
        string name = $"blobs/{digest.Algorithm}/{digest.Encoded}";
        if (!spooled.Has(name)) return false;
        (string path, Digest got, long size) = spooled.Get(name);
        if (digest.Algorithm == got.Algorithm && got != digest) throw new ImageException(ImageErrorReason.DigestMismatch, $"The blob '{name}' of the archive is {got}, with {size} bytes");
        if (digest.Algorithm == got.Algorithm) Move(path, digest);
        else await PutAsync(path, digest).ConfigureAwait(false);
        return true;

        async Task PutAsync(string from, Digest expected)
        {
            FileStream stream = File.OpenRead(from);
            await using (stream.ConfigureAwait(false)) await Blobs.PutAsync(stream, expected, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private void Move(string path, Digest digest)
    {
        if (File.Exists(path)) // what is in an archive once can be in an image twice
        {
            using (FileDescriptor file = StoreCalls.Open(path, Abi.O_WRONLY)) StoreCalls.Check(FileEntries.Sync(file), "fsync", path, "write");
            _files.PublishBlob(path, digest);
        }
    }

    private async Task<IReadOnlyList<Image>> LoadIndexAsync(byte[] content, Func<Digest, Task<bool>> take, LoadOptions options, CancellationToken cancellationToken)
    {
        List<(Descriptor, ImageReference?)> named = [];
        List<Image> images = [];
        try
        {
            ImmutableArray<Descriptor> manifests = ImageJson.ReadIndex(content).Manifests;
            if (options.Reference is not null && manifests.Length != 1) throw new ImageException(ImageErrorReason.Conflict, $"There are {manifests.Length} images, and one name for them", remedy: "leave LoadOptions.Reference out, and tag them");
            HashSet<(string, Digest, long)> seen = [];
            foreach (Descriptor descriptor in manifests)
            {
                if (!MediaTypes.IsIndex(descriptor.MediaType) && !MediaTypes.IsManifest(descriptor.MediaType)) throw new ImageException(ImageErrorReason.NotSupported, $"{descriptor.Digest} is of the type '{descriptor.MediaType}', which is no image");
                await TakeAllAsync(descriptor, take, seen, isPart: false, 0, cancellationToken).ConfigureAwait(false);
                ImageReference? reference = (options.Reference ?? (descriptor.Annotations?.GetValueOrDefault(ContainerdName) is { } name && ImageReference.TryParse(name, out ImageReference? full) ? full : ReferenceOf(descriptor)))?.WithDefaultTag();
                Image? image = Resolve(descriptor, reference, null); // what cannot be read is not named
                named.Add((descriptor, reference));
                if (image is not null) images.Add(image);
            }

            await NameAsync(named, cancellationToken).ConfigureAwait(false);
            return images;
        }
        catch (FormatException exception)
        {
            throw new ImageException(ImageErrorReason.InvalidContent, "The index of the images cannot be read", exception);
        }
    }

    /// <summary>All that a descriptor leads to, what it names before itself. Of an index the images for other platforms may be missing.</summary>
    /// <param name="descriptor">Of anything.</param>
    /// <param name="take">Takes a blob into the store; false where it is not to be had.</param>
    /// <param name="seen">What is taken already: an index may name a thousand times what names a thousand more.</param>
    /// <param name="isPart">Whether it may be missing.</param>
    /// <param name="depth">How many indexes and manifests it is in.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Whether it is there.</returns>
    private async Task<bool> TakeAllAsync(Descriptor descriptor, Func<Digest, Task<bool>> take, HashSet<(string, Digest, long)> seen, bool isPart, int depth, CancellationToken cancellationToken)
    {
        if (depth > MostNested) throw new ImageException(ImageErrorReason.InvalidContent, $"The index {descriptor.Digest} is more than {MostNested} indexes deep");
        cancellationToken.ThrowIfCancellationRequested();
        (string, Digest, long) key = (descriptor.MediaType, descriptor.Digest, descriptor.Size);
        if (seen.Contains(key)) return true;
        if (!descriptor.Digest.CanVerify) throw new ImageException(ImageErrorReason.NotSupported, $"The blob {descriptor.Digest} cannot be checked: the algorithms are sha256 and sha512");
        if (!await Blobs.IsWholeAsync(descriptor, cancellationToken).ConfigureAwait(false) && !await take(descriptor.Digest).ConfigureAwait(false))
            return isPart ? false : throw new ImageException(ImageErrorReason.InvalidContent, $"The blob {descriptor.Digest} of the type {descriptor.MediaType} is missing");
        if (!Blobs.Has(descriptor)) throw new ImageException(ImageErrorReason.SizeMismatch, $"The blob {descriptor.Digest} has not the {descriptor.Size} bytes that its descriptor says");
        if (MediaTypes.IsIndex(descriptor.MediaType))
        {
            bool any = false;
            foreach (Descriptor part in ReadAs(descriptor, content => ImageJson.ReadIndex(content, descriptor.MediaType)).Manifests) any |= await TakeAllAsync(part, take, seen, isPart: true, depth + 1, cancellationToken).ConfigureAwait(false);
            if (!any) throw new ImageException(ImageErrorReason.InvalidContent, $"Of the index {descriptor.Digest} no image is there");
        }
        else if (MediaTypes.IsManifest(descriptor.MediaType))
        {
            Manifest manifest = ReadAs(descriptor, content => ImageJson.ReadManifest(content, descriptor.MediaType));
            foreach (Descriptor part in (IEnumerable<Descriptor>)[manifest.Config, .. manifest.Layers]) await TakeAllAsync(part, take, seen, isPart: false, depth + 1, cancellationToken).ConfigureAwait(false);
        }

        seen.Add(key);
        return true;
    }

    private async Task<IReadOnlyList<Image>> LoadDockerAsync(SpooledArchive spooled, LoadOptions options, CancellationToken cancellationToken)
    {
        List<(Descriptor, ImageReference?)> named = [];
        List<Image> images = [];
        try
        {
            DockerArchiveImage[] found = ImageJson.ReadDockerArchive(spooled.ReadAll("manifest.json"));
            if (options.Reference is not null && found.Length != 1) throw new ImageException(ImageErrorReason.Conflict, $"There are {found.Length} images, and one name for them", remedy: "leave LoadOptions.Reference out, and tag them");
            List<(DockerArchiveImage Image, byte[] Config, (string Path, Digest Digest, long Size)[] Layers)> read = [.. found.Select(image => (image, spooled.ReadAll(image.Config), image.Layers.Select(spooled.Get).ToArray()))];
            foreach ((DockerArchiveImage image, byte[] config, (string Path, Digest Digest, long Size)[] layers) in read)
            {
                Descriptor descriptor = Assemble(image, config, layers);
                ImageReference?[] names = options.Reference is { } given ? [given] : image.RepoTags is { IsEmpty: false } tags ? [.. tags.Select(ImageReference.Parse)] : [null];
                named.AddRange(names.Select(name => (descriptor, name?.WithDefaultTag())));
                images.Add(Resolve(descriptor, names[0]?.WithDefaultTag(), null)!);
            }

            await NameAsync(named, cancellationToken).ConfigureAwait(false);
            return images;
        }
        catch (FormatException exception)
        {
            throw new ImageException(ImageErrorReason.InvalidContent, "What the archive says of its images cannot be read", exception);
        }
    }

    /// <summary>A manifest for an image that has none: docker-save(1) writes only what it would be made of.</summary>
    private Descriptor Assemble(DockerArchiveImage image, byte[] content, (string Path, Digest Digest, long Size)[] layers)
    {
        ImageConfig config = ImageJson.ReadConfig(content);
        if (config.RootFs.DiffIds.Length != layers.Length) throw new FormatException($"'{image.Config}' has {config.RootFs.DiffIds.Length} layers, and manifest.json names {layers.Length}.");
        List<Descriptor> descriptors = [];
        for (int i = 0; i < layers.Length; i++)
        {
            string type = TypeOf(File.Exists(layers[i].Path) ? layers[i].Path : _files.BlobPath(layers[i].Digest));
            if (type == MediaTypes.Layer && config.RootFs.DiffIds[i] != layers[i].Digest) throw new ImageException(ImageErrorReason.DigestMismatch, $"The layer '{image.Layers[i]}' is {layers[i].Digest}, and '{image.Config}' says {config.RootFs.DiffIds[i]}");
            Move(layers[i].Path, layers[i].Digest);
            descriptors.Add(new() { MediaType = type, Digest = layers[i].Digest, Size = layers[i].Size });
        }

        Manifest manifest = new() { SchemaVersion = 2, MediaType = MediaTypes.Manifest, Config = Blobs.Put(MediaTypes.Config, content), Layers = [.. descriptors] };
        return Blobs.Put(MediaTypes.Manifest, ImageJson.ToUtf8(manifest, ImageModel.Default.Manifest));
    }

    private static string TypeOf(string path)
    {
        Span<byte> start = stackalloc byte[4];
        using FileStream file = File.OpenRead(path);
        int count = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        return start[..count] switch
        {
            [0x1f, 0x8b, ..] => MediaTypes.LayerGzip,
            [0x28, 0xb5, 0x2f, 0xfd] => MediaTypes.LayerZstd,
            _ => MediaTypes.Layer,
        };
    }
}
