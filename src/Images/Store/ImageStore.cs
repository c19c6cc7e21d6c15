using System.Collections.Immutable;
using Isolation.Linux;

namespace Isolation.Images;

/// <summary>
/// Images on disk: a directory that is an OCI image layout (image-spec 1.1, image-layout.md), which other tools read and write
/// too, and beside it the layers as directories. Safe from any thread; any number of processes may use one directory at
/// once. Who reads never waits; what is written is complete and on disk before anybody sees it.
/// </summary>
public sealed partial class ImageStore
{
    internal const string IndexLock = "index";
    private const string ReferenceName = "org.opencontainers.image.ref.name";
    private readonly StoreFiles _files;
    private readonly ImageStoreOptions _options;
    private readonly LayerFiles _layers;
    private readonly LayerDirectories _directories;

    private ImageStore(StoreFiles files, ImageStoreOptions options)
    {
        (_files, _options, Blobs) = (files, options, new(files));
        _layers = new(files, Blobs, options);
        _directories = new(files);
    }

    /// <summary>Where the store is.</summary>
    public string Path => _files.Path;

    /// <summary><c>/var/lib/isolation</c> for root; for others <c>isolation</c> under <c>XDG_DATA_HOME</c>, or where that is not set <c>~/.local/share</c>.</summary>
    public static string DefaultPath => Syscall.Invoke(SystemCall.geteuid) == 0 ? "/var/lib/isolation"
        : System.IO.Path.Join(Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } data ? data : System.IO.Path.Join(Environment.GetEnvironmentVariable("HOME") ?? "/", ".local/share"), "isolation");

    internal BlobFiles Blobs { get; }

    /// <summary>
    /// Opens a store, or makes one where there is none. What dead processes left unfinished in it is removed. One that cannot be
    /// written can be read, and run from as far as its layers are unpacked.
    /// </summary>
    /// <param name="path">A directory; <see cref="DefaultPath"/> where it is null.</param>
    /// <param name="options">How it is used.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ImageException">The directory cannot be used, is none of a store, has lost its index, or is a store of a later version.</exception>
    public static async Task<ImageStore> OpenAsync(string? path = null, ImageStoreOptions? options = null, CancellationToken cancellationToken = default)
    {
        string full = System.IO.Path.GetFullPath(path ?? DefaultPath);
        return await Task.Run(() => new ImageStore(StoreOpening.Open(full), options ?? new()), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What the store names, in the order of its index; an image for each manifest, and none for what is only for other platforms.</summary>
    /// <exception cref="ImageException">The index is damaged, or an image that it names: <see cref="ListReadableAsync"/> lists the rest.</exception>
    public async Task<IReadOnlyList<Image>> ListAsync(CancellationToken cancellationToken = default) => await Task.Run(() => List(null), cancellationToken).ConfigureAwait(false);

    /// <summary>As <see cref="ListAsync"/>, where images may be damaged: each of them is told of, and the rest is listed.</summary>
    /// <param name="onDamaged">Called before this ends, on a thread of its choice, for one after the other.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ImageException">The index is damaged.</exception>
    public async Task<IReadOnlyList<Image>> ListReadableAsync(Action<StoreDamage> onDamaged, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(onDamaged);
        return await Task.Run(() => List(onDamaged), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>An image by its name, or by its digest; null where there is none, or none that this platform runs.</summary>
    /// <param name="reference">Without tag and digest, <c>latest</c> is meant.</param>
    /// <param name="platform">Which of several; this machine's where it is null.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ImageException">What is there is damaged.</exception>
    public async Task<Image?> FindAsync(ImageReference reference, Platform? platform = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return await Task.Run(() => Find(reference.WithDefaultTag()) is { } descriptor ? Resolve(descriptor, reference.WithDefaultTag(), platform ?? Platform.Current) : null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As <see cref="FindAsync"/>, where it must be there.</summary>
    /// <exception cref="ImageException">It is not there, not for this platform, or damaged.</exception>
    /// <inheritdoc cref="FindAsync"/>
    public async Task<Image> GetAsync(ImageReference reference, Platform? platform = null, CancellationToken cancellationToken = default) =>
        await FindAsync(reference, platform, cancellationToken).ConfigureAwait(false)
        ?? throw await Task.Run(() => NoImage(reference.WithDefaultTag(), platform ?? Platform.Current), cancellationToken).ConfigureAwait(false);

    /// <summary>Gives an image a name; one that had it before keeps only its other names.</summary>
    /// <exception cref="ImageException">The image is not in the store any more, or the index cannot be written.</exception>
    public async Task TagAsync(Image image, ImageReference reference, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(reference);
        using StoreLease? lease = await KeepAsync([image], cancellationToken).ConfigureAwait(false);
        foreach (Descriptor part in PartsOf(image))
            if (!Blobs.Has(part)) throw new ImageException(ImageErrorReason.NotFound, $"The image {image} is not in the store '{Path}' any more: its blob {part.Digest} is missing", remedy: "load or pull it again");
        await NameAsync(image.Descriptor, reference.WithDefaultTag(), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes a name away. What it named stays on disk.</summary>
    /// <returns>False where there was none.</returns>
    /// <exception cref="ImageException">The index cannot be written.</exception>
    public async Task<bool> RemoveAsync(ImageReference reference, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        bool found = false;
        await UpdateAsync(manifests =>
        {
            ImmutableArray<Descriptor> left = manifests.RemoveAll(descriptor => ReferenceOf(descriptor) == reference.WithDefaultTag());
            found = left.Length < manifests.Length;
            return left;
        }, cancellationToken).ConfigureAwait(false);
        return found;
    }

    /// <summary>Makes the layers of an image directories, several at once; those that are already are left as they are.</summary>
    /// <exception cref="ImageException">A layer is damaged, unsafe, or cannot be written.</exception>
    public async Task<UnpackedImage> UnpackAsync(Image image, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        StoreLease? lease = await KeepAsync([image], cancellationToken).ConfigureAwait(false);
        try
        {
            string[] paths = new string[image.Layers.Length];
            ParallelOptions parallel = new() { MaxDegreeOfParallelism = _options.Parallelism, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(Enumerable.Range(0, paths.Length), parallel, async (i, token) => paths[i] = await _layers.UnpackAsync(image.Layers[i], token).ConfigureAwait(false)).ConfigureAwait(false);
            return new(image, await _directories.MakeAsync(image.Layers, paths, cancellationToken).ConfigureAwait(false) is { } over ? [.. paths, over] : paths, lease);
        }
        catch
        {
            lease?.Dispose();
            throw;
        }
    }

    private List<Image> List(Action<StoreDamage>? onDamaged)
    {
        List<Image> images = [];
        foreach (Descriptor descriptor in ReadIndex().Manifests)
        {
            if (!MediaTypes.IsIndex(descriptor.MediaType) && !MediaTypes.IsManifest(descriptor.MediaType)) continue; // others may have written what they like
            ImageReference? reference = ReferenceOf(descriptor);
            try
            {
                if (Resolve(descriptor, reference, Platform.Current) is { } image) images.Add(image);
            }
            catch (ImageException exception) when (onDamaged is not null)
            {
                onDamaged(new(descriptor.Digest, IsLayer: false, exception.Message, [reference?.ToString() ?? descriptor.Digest.ToString()]));
            }
        }

        return images;
    }

    /// <summary>Names what is in the store already.</summary>
    internal Task NameAsync(Descriptor descriptor, ImageReference? reference, CancellationToken cancellationToken) => NameAsync([(descriptor, reference)], cancellationToken);

    /// <summary>As the other, all at once or none.</summary>
    internal Task NameAsync(IReadOnlyCollection<(Descriptor Descriptor, ImageReference? Reference)> images, CancellationToken cancellationToken) => UpdateAsync(manifests =>
    {
        _files.SyncBlobs();
        return images.Aggregate(manifests, (named, image) => Named(named, image.Descriptor, image.Reference));
    }, cancellationToken);

    private static ImmutableArray<Descriptor> Named(ImmutableArray<Descriptor> manifests, Descriptor descriptor, ImageReference? reference)
    {
        ImmutableSortedDictionary<string, string> annotations = (descriptor.Annotations ?? ImmutableSortedDictionary<string, string>.Empty).Remove(ReferenceName);
        if (reference is not null) annotations = annotations.SetItem(ReferenceName, reference.ToString());
        Descriptor named = descriptor with { Annotations = annotations.IsEmpty ? null : annotations };
        bool isNamed = reference is null && manifests.Any(other => other.Digest == descriptor.Digest);
        return isNamed ? manifests : manifests.RemoveAll(other => reference is null ? false : ReferenceOf(other) == reference || (other.Digest == descriptor.Digest && ReferenceOf(other) is null)).Add(named);
    }

    private async Task UpdateAsync(Func<ImmutableArray<Descriptor>, ImmutableArray<Descriptor>> change, CancellationToken cancellationToken)
    {
        using IDisposable held = await _files.LockAsync(IndexLock, cancellationToken).ConfigureAwait(false);
        ImageIndex index = ReadIndex();
        ImmutableArray<Descriptor> changed = change(index.Manifests);
        if (changed == index.Manifests) return;
        _files.Replace(StoreFiles.IndexName, ImageJson.ToUtf8(index with { Manifests = changed }, ImageModel.Default.ImageIndex));
    }

    private ImageIndex ReadIndex()
    {
        const string Remedy = "bring it back, or write {\"schemaVersion\":2,\"manifests\":[]} into it and load the images again";
        string path = _files.At(StoreFiles.IndexName);
        if (StoreCalls.ReadIfThere(path) is not { } content) throw new ImageException(ImageErrorReason.Damaged, $"The store '{Path}' has lost its index '{path}'", remedy: Remedy);
        try
        {
            return ImageJson.ReadIndex(content);
        }
        catch (FormatException exception)
        {
            throw new ImageException(ImageErrorReason.Damaged, $"The index '{path}' of the store cannot be read", exception, Remedy);
        }
    }

    private static ImageReference? ReferenceOf(Descriptor descriptor) =>
        descriptor.Annotations?.GetValueOrDefault(ReferenceName) is { } name && ImageReference.TryParse(name, out ImageReference? reference) ? reference.WithDefaultTag() : null;

    private Descriptor? Find(ImageReference reference)
    {
        ImmutableArray<Descriptor> manifests = ReadIndex().Manifests;
        return reference.Digest is { } digest ? manifests.FirstOrDefault(descriptor => descriptor.Digest == digest) : manifests.LastOrDefault(descriptor => ReferenceOf(descriptor) == reference);
    }
}
