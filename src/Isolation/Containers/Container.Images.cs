using Isolation.Images;
using Isolation.Launch;
using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation;

public sealed partial class Container
{
    /// <summary>
    /// What the container has changed of the files of its root, running, paused or ended, until it is disposed: parents before
    /// what is in them. Mounts, and the files of <c>/etc</c> that every container is given, are none of them.
    /// </summary>
    /// <exception cref="ContainerStateException">It is disposed.</exception>
    /// <exception cref="InvalidOperationException">Its root has no private layer: it is read-only, written itself, or the host's.</exception>
    /// <exception cref="UnionFsException">A file cannot be read.</exception>
    public async Task<IReadOnlyList<UnionChange>> DiffAsync(CancellationToken cancellationToken = default)
    {
        FileDescriptor layer = PrivateLayer();
        UnionMount? union = Launch.Root?.Union;
        UnionSpec spec = new() { Lower = Spec.Root switch { LayersRoot layers => layers.Layers, DirectoryRoot directory => [directory.Path], _ => [] } };
        HashSet<string> own = OwnFiles();
        if (Launch.Root is { IsMapped: true, Union.Writable: { } mapped }) mapped.Owners = (id => Inside(Launch.Maps?.Users, id), id => Inside(Launch.Maps?.Groups, id));
        return await Task.Run(() =>
        {
            using UnionWritable writable = new(Descriptors.Duplicate(layer), WhiteoutForm.Overlay, IsWhole: false);
            return (union?.Diff(cancellationToken) ?? UnionDiff.Of(spec, writable, cancellationToken)).Where(change => !own.Contains(change.Path)).ToList();
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Makes what the container has written a layer over the image it was started from, and both a new image of the store.
    /// A container that runs is paused meanwhile.
    /// </summary>
    /// <param name="store">That of the image.</param>
    /// <param name="options">Its name, and how it is run.</param>
    /// <param name="cancellationToken">Ends it; nothing is left then.</param>
    /// <exception cref="InvalidOperationException">It was not started from an image, or may only read it.</exception>
    /// <exception cref="ContainerStateException">It is disposed.</exception>
    /// <exception cref="UnionFsException">The changes of a copy or a FUSE overlay cannot be gathered.</exception>
    /// <exception cref="ImageException">A file cannot be read, or be in an image; or the store cannot be written.</exception>
    public async Task<Image> CommitAsync(ImageStore store, CommitOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (Spec.Image is not { } below) throw new InvalidOperationException("The container was not started from an image: FromImage says from which.");
        FileDescriptor layer = PrivateLayer();
        Image? image = null;
        await PausedAsync(async () =>
        {
            using LayerChanges? changes = await GatherAsync(cancellationToken).ConfigureAwait(false);
            image = await store.CommitAsync(below, changes?.Directory ?? layer, Packing(), options ?? new(), cancellationToken).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
        return image!;
    }

    /// <summary>
    /// Writes the files of the container's root as a plain tar archive, running, paused or ended, until it is disposed: what
    /// docker-export(1) writes, and <see cref="ImageStore.ImportAsync"/> reads. Mounts, and the files of <c>/etc</c> that
    /// every container is given, are none of them. A container that runs is paused meanwhile.
    /// </summary>
    /// <param name="path">Of the archive; it is there when it is complete, and replaces what is there.</param>
    /// <param name="compression">What it is compressed with; nothing by default.</param>
    /// <param name="cancellationToken">Ends it; nothing is left then.</param>
    /// <exception cref="ContainerStateException">It is disposed.</exception>
    /// <exception cref="InvalidOperationException">Its root is the host's.</exception>
    /// <exception cref="ImageException">A file cannot be read, or be in an archive.</exception>
    public Task ExportAsync(string path, LayerCompression compression = LayerCompression.None, CancellationToken cancellationToken = default) =>
        ArchiveFile.WriteAsync(path, file => ExportArchiveAsync(file, compression, cancellationToken));

    /// <summary>As the other, to a stream, which stays the caller's.</summary>
    /// <inheritdoc cref="ExportAsync"/>
    public async Task ExportArchiveAsync(Stream archive, LayerCompression compression = LayerCompression.None, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(archive);
        (IReadOnlyList<string> layers, bool isMapped) = Spec.Root switch
        {
            LayersRoot root => (root.Layers, false),
            DirectoryRoot root => ((IReadOnlyList<string>)[root.Path], true), // its owners are the host's, and not those of an image
            _ => throw new InvalidOperationException("The container's root is the host's: FromImage, FromDirectory or FromLayers gives it one that can be exported."),
        };
        FileDescriptor? layer = Launch.Layer is null ? null : PrivateLayer();
        PackOptions pack = Packing() with { Compression = compression };
        await PausedAsync(async () =>
        {
            using LayerChanges? changes = await GatherAsync(cancellationToken).ConfigureAwait(false);
            await RootExport.WriteAsync(layers, changes?.Directory ?? layer, isMapped, pack, archive, cancellationToken).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The changes as overlayfs would have them, where another driver unites the layers; else null.</summary>
    private Task<LayerChanges?> GatherAsync(CancellationToken cancellationToken) =>
        Launch.Root is { } root ? Task.Run(() => root.Gather(cancellationToken), cancellationToken) : Task.FromResult<LayerChanges?>(null);

    private PackOptions Packing() => new() { Left = OwnFiles(), UserOf = id => Inside(Launch.Maps?.Users, id), GroupOf = id => Inside(Launch.Maps?.Groups, id) };

    /// <summary>While something is done, nothing writes.</summary>
    private async Task PausedAsync(Func<Task> work, CancellationToken cancellationToken)
    {
        bool pauses = State == ContainerState.Running;
        if (pauses) await PauseAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await work().ConfigureAwait(false);
        }
        finally
        {
            if (pauses && State == ContainerState.Paused) await ResumeAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    private FileDescriptor PrivateLayer()
    {
        FileDescriptor layer = Launch.Layer ?? throw new InvalidOperationException("The container's root has no private layer: it is read-only, a directory that it writes itself, or the host's.");
        return layer.IsClosed ? throw new ContainerStateException("What it has written is gone", State) : layer;
    }

    /// <summary>What the launch itself wrote into the layer.</summary>
    private HashSet<string> OwnFiles() => [.. EtcSteps.Targets(Spec), .. Launch.MadeTargets.Where(target => target != Spec.WorkingDirectory.Trim('/'))];

    private static uint Inside(IEnumerable<IdMapping>? map, uint id)
    {
        foreach (IdMapping range in map ?? [])
            if (id >= range.HostId && id - range.HostId < range.Count) return range.ContainerId + (id - range.HostId);
        return id;
    }
}
