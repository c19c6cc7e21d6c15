using Isolation.Launch;
using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation;

/// <summary>
/// What the host makes for one container's root before it is born, and takes away when the container is gone: the union of its
/// layers where the child does not mount one itself, the lock of a layer that is kept, and its volumes.
/// </summary>
internal sealed class HostedRoot
{
    private const string LinkName = "root";
    private readonly List<EnforcementNote> _notes = [];
    private readonly PlanInputs _inputs;
    private FileDescriptor? _kept;
    private LaunchDirectory? _directory;
    private UnionMount? _union;
    private FileDescriptor? _map;
    private readonly List<FileDescriptor> _binds = [];
    private readonly List<UnionMount> _unions = [];

    internal HostedRoot(PlanInputs inputs) => (_inputs, Way) = (inputs, inputs.Way);

    /// <summary>How it was made in the end.</summary>
    internal RootWay? Way { get; private set; }

    /// <summary>What is less than was asked for.</summary>
    internal IReadOnlyList<EnforcementNote> Notes => _notes;

    internal UnionMount? Union => _union;

    /// <summary>Whether the layers are seen through the container's identity map.</summary>
    internal bool IsMapped { get; private set; }

    /// <summary>Where the container writes; null where the child says it itself, or nothing may be written.</summary>
    internal FileDescriptor? Layer => _inputs.Spec.Root is { IsReadOnly: true } ? null : _union?.Writable?.Content;

    /// <summary>What was written, where the driver keeps it otherwise than overlayfs; null where it does not.</summary>
    /// <exception cref="UnionFsException">It cannot be gathered.</exception>
    internal LayerChanges? Gather(CancellationToken cancellationToken) =>
        _union is { Driver: not UnionDriver.Overlay } ? LayerChanges.Gather(_union, _inputs.Directory ?? _inputs.Spec.LayerDirectory!, cancellationToken) : null;

    internal static string PathIn(string directory) => $"{directory}/{LinkName}";

    /// <summary>Whether there is anything to make.</summary>
    internal static bool IsNeeded(PlanInputs inputs) =>
        inputs.Way is { Place: not RootPlace.Plan } || inputs.Spec.LayerDirectory is not null || inputs.Spec.Mounts.Any(mount => mount is VolumeMount)
        || !inputs.MappedBinds.IsEmpty || Relabelling.IsNeeded(inputs);

    /// <exception cref="ContainerException">It cannot be made. What was is there until it is released.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; likewise.</exception>
    internal async Task MakeAsync(RecordFile? record, CancellationToken cancellationToken)
    {
        const string What = "Cannot make the container's root";
        try
        {
            ContainerSpec spec = _inputs.Spec;
            if (spec.LayerDirectory is not null) _kept = KeptLayer.Open(spec, Way!);
            if (_inputs.Directory is { } path) _directory = LaunchDirectory.Make(path, _inputs, record);
            if (Way is { Place: not RootPlace.Plan } way) await UniteAsync(way, cancellationToken).ConfigureAwait(false);
            else if (_kept is not null) KeptLayer.Prepare(_kept, (LayersRoot)spec.Root!);
            await ContainerVolumes.FillAsync(_inputs, cancellationToken).ConfigureAwait(false);
            if (Relabelling.IsNeeded(_inputs)) await Task.Run(() => Relabelling.Run(_inputs, cancellationToken), cancellationToken).ConfigureAwait(false);
            foreach (BindMount bind in _inputs.MappedBinds)
            {
                if (bind.Union is { } layers)
                {
                    UnionMount union = await UnionFileSystems.Choose(UnionDriver.Overlay).FileSystem.MountAsync(new() { Lower = layers.Layers, WritableBytes = layers.LayerSize }, cancellationToken).ConfigureAwait(false);
                    _unions.Add(union);
                    _binds.Add(Descriptors.Duplicate(union.Root));
                    continue;
                }

                string source = bind.SourceFor(_inputs.Directory);
                using FileDescriptor? own = bind.Maps is { } maps ? await MappedUserNamespace.MakeAsync(maps, cancellationToken).ConfigureAwait(false) : null;
                _binds.Add(MappedBinds.Make(bind, source, own ?? await MapAsync(cancellationToken).ConfigureAwait(false), out bool isMapped));
                if (!isMapped) _notes.Add(new($"owners of '{bind.Target}'", $"as on disk, and not through the identity map: the file system of '{source}' cannot be seen through one"));
            }
        }
        catch (UnionFsException exception)
        {
            throw new ContainerException(ContainerErrorReason.MountFailed, What, exception, exception.Remedy);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ContainerException(ContainerErrorReason.MountFailed, What, exception, (exception as LinuxException)?.Remedy);
        }
        finally
        {
            _map?.Dispose();
        }
    }

    /// <summary>What the child is given by number: the root where it is at no path, and binds that the host has made. Once.</summary>
    internal IEnumerable<(int Number, FileDescriptor Mount)> ToPass()
    {
        if (_union is { IsDetached: true }) yield return (_inputs.Passed.Root, Descriptors.Duplicate(_union.Root));
        for (int i = 0; i < _binds.Count; i++) yield return (_inputs.Passed.FirstBind + i, _binds[i]);
        _binds.Clear();
    }

    /// <summary>Unmounts, and removes what is this container's alone. No process of the container must be left.</summary>
    /// <exception cref="UnionFsException">The driver's program does not end.</exception>
    /// <exception cref="LinuxException">A file cannot be removed.</exception>
    internal async Task ReleaseAsync()
    {
        foreach (FileDescriptor bind in _binds) bind.Dispose();
        foreach (UnionMount union in _unions) await union.DisposeAsync().ConfigureAwait(false);
        if (_union is not null) await _union.DisposeAsync().ConfigureAwait(false);
        if (_kept is not null) FileLock.ReleaseAndClose(_kept);
        if (_directory is { } directory) await Task.Run(directory.Remove).ConfigureAwait(false);
    }

    private async Task UniteAsync(RootWay way, CancellationToken cancellationToken)
    {
        ContainerSpec spec = _inputs.Spec;
        LayersRoot root = (LayersRoot)spec.Root!;
        IUnionFileSystem driver = UnionFileSystems.Choose(way.Driver).FileSystem;
        // A limit of a layer that is kept is set already.
        string? place = spec.LayerDirectory ?? (way.Driver == UnionDriver.Overlay ? null : LaunchDirectory.UnionOf(_inputs.Directory!));
        UnionSpec union = new()
        {
            Lower = root.Layers,
            Writable = place,
            WritableBytes = spec.LayerDirectory is null ? root.LayerSize : null,
            Overlay = new() { Context = _inputs.Labels?.Mounts },
        };
        if (way.Driver != UnionDriver.Overlay && _inputs.Labels?.Mounts is not null) _notes.Add(new("selinux label of the root", $"as on disk: the driver {way.Driver} sets none"));
        if (way.Place != RootPlace.Directory)
        {
            await DetachedAsync(driver, union, cancellationToken).ConfigureAwait(false);
            return;
        }

        try
        {
            await LimitedAsync(driver, union, cancellationToken).ConfigureAwait(false);
        }
        catch (UnionFsException exception) when (way is { IsFallback: true, Driver: UnionDriver.FuseOverlay } && spec.LayerDirectory is null && exception.Reason == UnionFsErrorReason.Failed)
        {
            // Its program and its device are here, and yet it may not mount: without new privileges fusermount3 has none.
            Way = way with { Driver = UnionDriver.Copy, Reason = $"{way.Reason}, but {exception.Message}; Copy: works anywhere" };
            await LimitedAsync(UnionFileSystems.Choose(UnionDriver.Copy).FileSystem, union, cancellationToken).ConfigureAwait(false);
        }

        Link(place!, Path.GetFileName(_union!.Path!));
    }

    /// <summary>Overlayfs, its layers seen through the container's map where they can be.</summary>
    private async Task DetachedAsync(IUnionFileSystem driver, UnionSpec union, CancellationToken cancellationToken)
    {
        FileDescriptor? map = Way!.IsMapped ? await MapAsync(cancellationToken).ConfigureAwait(false) : null;
        try
        {
            _union = await driver.MountAsync(union with { IdentityMap = map }, cancellationToken).ConfigureAwait(false);
            IsMapped = map is not null;
        }
        catch (UnionFsException exception) when (exception.Reason == UnionFsErrorReason.NotSupported && map is not null)
        {
            _notes.Add(new("owners of the layers", $"as on disk, and not through the identity map: {exception.Message}"));
            _union = await driver.MountAsync(union, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<FileDescriptor> MapAsync(CancellationToken cancellationToken) => _map ??= await MappedUserNamespace.MakeAsync(_inputs.Maps, cancellationToken).ConfigureAwait(false);

    /// <summary>With a limit where the file system has quotas.</summary>
    private async Task LimitedAsync(IUnionFileSystem driver, UnionSpec union, CancellationToken cancellationToken)
    {
        try
        {
            _union = await driver.MountAsync(union, cancellationToken).ConfigureAwait(false);
        }
        catch (UnionFsException exception) when (exception.Reason == UnionFsErrorReason.NotSupported && union.WritableBytes is not null)
        {
            _notes.Add(new("size of the private layer", $"not limited: {exception.Message}"));
            await LimitedAsync(driver, union with { WritableBytes = null }, cancellationToken).ConfigureAwait(false);
        }
    }

    private static void Link(string place, string name)
    {
        using FileDescriptor directory = WritableDirectory.Open(place);
        FileEntries.Remove(directory, FileName.Of(LinkName)); // of the container before, where the directory is kept
        Syscall.Check(FileEntries.MakeLink(FileName.Of(name), directory, FileName.Of(LinkName)), "symlinkat", $"\"{place}/{LinkName}\"");
    }
}
