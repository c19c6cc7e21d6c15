using System.Globalization;
using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>
/// Overlayfs. Layers are given by descriptor, as <c>/proc/self/fd/N</c>: what was checked is what is mounted, and no character
/// of a path can be misread as a separator.
/// </summary>
internal sealed class OverlayFileSystem : IUnionFileSystem
{
    /// <summary>OVL_MAX_STACK (fs/overlayfs/params.h).</summary>
    internal const int MaxLayers = 500;

    private readonly Lazy<OverlayKernel> _kernel;
    private readonly OverlayRoute _route;

    /// <param name="kernel">What it can do; null asks it.</param>
    /// <param name="route">To force one.</param>
    internal OverlayFileSystem(OverlayKernel? kernel = null, OverlayRoute route = OverlayRoute.Automatic) =>
        (_kernel, _route) = (kernel is null ? new(OverlayKernel.Probe) : new(kernel), route);

    public UnionDriver Driver => UnionDriver.Overlay;

    // One layer of the 500 is kept for the empty one beneath a single branch.
    public UnionLimits Limits { get; } = new(MaxLayers - 1, IsDetached: true, SharesFiles: true, KeepsOwners: true, MapsIdentities: true);

    public WhiteoutForm LowerForm => WhiteoutForm.Overlay;

    public Task<UnionMount> MountAsync(UnionSpec spec, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(Mount(spec));
    }

    public IEnumerable<UnionChange> Diff(UnionSpec spec, CancellationToken cancellationToken = default) =>
        DirectoryDiff.Of(spec, WhiteoutForm.Overlay, cancellationToken);

    private UnionMount Mount(UnionSpec spec)
    {
        SpecCheck.Check(spec, Limits, Driver);
        IReadOnlyList<(string, string)> options = OverlayOptionList.Of(spec.Overlay, !UserNamespaceOfProcess.IsInitial, spec.IsWritable);
        using OpenedBranches lower = OpenedBranches.Open(spec.Lower);
        OverlayKernel kernel = _kernel.Value;
        if (kernel.OpenResult != Errno.None) throw OverlayFailures.Unavailable(kernel.OpenResult);
        List<FileDescriptor> mapped = [];
        WritableRoom? room = null;
        try
        {
            if (spec.IdentityMap is { } map)
                foreach (FileDescriptor branch in lower.FromBottom) mapped.Add(Mapped(branch, map));
            FileDescriptor[] layers = [.. (spec.IdentityMap is null ? lower.FromBottom : mapped).Reverse()];
            // The root of the writable branch gets its owner as the map shows it. The branch itself is not mapped: overlayfs
            // makes its own files there as this process's user, whom the map may not know (EOVERFLOW, and the mount is read-only).
            room = WritableRoom.Open(spec, layers[0]);
            FileDescriptor? writable = room?.Directory;
            bool needsAttached = spec.IdentityMap is not null || room is { IsTmpfs: true };
            OverlayRoute route = _route != OverlayRoute.Automatic ? _route
                : kernel.HasAppend && (kernel.HasDetachedLayers || !needsAttached) && (layers.Length > 1 || writable is not null) ? OverlayRoute.Append : OverlayRoute.Attached;
            ulong attributes = (spec.AllowDevices ? 0 : Abi.MOUNT_ATTR_NODEV) | (writable is null ? Abi.MOUNT_ATTR_RDONLY : 0u);
            FileDescriptor root = route == OverlayRoute.Append ? Append(layers, writable, options, attributes) : Attach(layers, writable, options, attributes);
            return new UnionMount(spec, Driver, route == OverlayRoute.Append ? "fsopen(2), lowerdir+" : "mount(2) in a namespace of a thread's own, short names", root, isDetached: true, null, room?.Take(WhiteoutForm.Overlay), null);
        }
        catch (LinuxException exception)
        {
            throw OverlayFailures.Explain(spec, exception);
        }
        finally
        {
            room?.Dispose();
            foreach (FileDescriptor mount in mapped) mount.Dispose();
        }
    }

    private static FileDescriptor Append(FileDescriptor[] layers, FileDescriptor? writable, IReadOnlyList<(string Key, string Value)> options, ulong attributes)
    {
        using MountContext context = MountContext.Open("overlay");
        foreach (FileDescriptor layer in layers) context.Set("lowerdir+", PathOf(layer));
        if (writable is not null)
        {
            context.Set("upperdir", $"{PathOf(writable)}/{WritableDirectory.Upper}");
            context.Set("workdir", $"{PathOf(writable)}/{WritableDirectory.Work}");
        }

        foreach ((string key, string value) in options)
            if (value.Length == 0) context.SetFlag(key); else context.Set(key, value);
        return context.Make(attributes);
    }

    /// <summary>
    /// Each layer's mount is cloned here and attached there, under a short name; overlayfs makes clones of its own, so nothing
    /// of that is needed afterwards.
    /// </summary>
    private static FileDescriptor Attach(FileDescriptor[] layers, FileDescriptor? writable, IReadOnlyList<(string, string)> options, ulong attributes)
    {
        List<(string Name, FileDescriptor Mount)> clones = [];
        try
        {
            for (int i = 0; i < layers.Length; i++) clones.Add((i.ToString(CultureInfo.InvariantCulture), MountCalls.CloneOrSame(layers[i])));
            if (writable is not null) clones.Add(("w", MountCalls.CloneOrSame(writable)));
            return PrivateMounts.Run(directory =>
            {
                foreach ((string name, FileDescriptor mount) in clones)
                {
                    WritableDirectory.MakeOne(directory, name, 0x1C0);
                    using FileDescriptor target = MergedTree.OpenDirectory(directory, FileName.Of(name), "");
                    MountCalls.Attach(mount, target);
                }

                // Without a writable branch overlayfs wants two layers: an empty directory beneath a single one.
                int count = layers.Length;
                if (count == 1 && writable is null) WritableDirectory.MakeOne(directory, (count++).ToString(CultureInfo.InvariantCulture), 0x1ED);
                WritableDirectory.MakeOne(directory, "m", 0x1C0);
                ulong flags = ((attributes & Abi.MOUNT_ATTR_NODEV) != 0 ? Abi.MS_NODEV : 0) | ((attributes & Abi.MOUNT_ATTR_RDONLY) != 0 ? Abi.MS_RDONLY : 0);
                string data = OverlayOptionList.Data(count, writable is not null, options);
                Syscall.Check(MountCalls.Mount("overlay", "m", "overlay", flags, data), "mount", $"overlay, {data}");
                return MountCalls.Clone("m");
            });
        }
        finally
        {
            foreach ((_, FileDescriptor mount) in clones) mount.Dispose();
        }
    }

    private static FileDescriptor Mapped(FileDescriptor branch, FileDescriptor userNamespace)
    {
        FileDescriptor clone = MountCalls.Clone(branch);
        try
        {
            MountCalls.SetAttributes(clone, Abi.MOUNT_ATTR_IDMAP, userNamespace);
            return clone;
        }
        catch
        {
            clone.Dispose();
            throw;
        }
    }

    private static string PathOf(FileDescriptor layer) => $"/proc/self/fd/{layer.Number}";
}

/// <summary>How an overlay is mounted.</summary>
internal enum OverlayRoute
{
    Automatic,

    /// <summary>Layer by layer, through the descriptors.</summary>
    Append,

    /// <summary>With mount(2), after every layer was attached under a short name where nobody sees it.</summary>
    Attached,
}
