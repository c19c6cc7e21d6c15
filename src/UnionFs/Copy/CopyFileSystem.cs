using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>
/// A copy of the whole union in the writable directory: works on any file system and for any user, takes time and, where
/// the file system shares no blocks, space.
/// </summary>
internal sealed class CopyFileSystem : IUnionFileSystem
{
    private const string Tree = "tree", Unfinished = "tree.unfinished", Stamp = "copied";

    public UnionDriver Driver => UnionDriver.Copy;

    public UnionLimits Limits { get; } = new(int.MaxValue, IsDetached: false, SharesFiles: false, TreeWriter.KeepsOwners, MapsIdentities: false);

    public WhiteoutForm LowerForm => WhiteoutForm.Overlay;

    public Task<UnionMount> MountAsync(UnionSpec spec, CancellationToken cancellationToken = default) =>
        Task.Run(() => Mount(spec, cancellationToken), cancellationToken);

    public IEnumerable<UnionChange> Diff(UnionSpec spec, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return Walk(spec, cancellationToken);
    }

    private static IEnumerable<UnionChange> Walk(UnionSpec spec, CancellationToken cancellationToken)
    {
        if (spec.Writable is null) throw UnionDiff.OnlyRead();
        using FileDescriptor directory = WritableDirectory.Open(spec.Writable);
        using UnionWritable writable = OpenTree(directory)
            ?? throw new UnionFsException(UnionFsErrorReason.WritableUnusable, $"\"{spec.Writable}\" holds no copy of a union", remedy: "It was never mounted by this driver.");
        foreach (UnionChange change in UnionDiff.Of(spec, writable, cancellationToken)) yield return change;
    }

    private UnionMount Mount(UnionSpec spec, CancellationToken cancellationToken)
    {
        SpecCheck.Check(spec, Limits, Driver);
        using OpenedBranches lower = OpenedBranches.Open(spec.Lower);
        string place = spec.Writable ?? spec.Scratch
            ?? throw new UnionFsException(UnionFsErrorReason.NotSupported, "The driver Copy needs a directory for the copy", remedy: "Set Scratch.");
        using FileDescriptor directory = WritableDirectory.Open(place);
        if (spec.WritableBytes is { } bytes && !ProjectQuota.TryLimit(directory, bytes))
            throw SpecCheck.Refused(Driver, $"limit of what is written to \"{place}\"", "Its file system keeps no project quotas (ext4: mkfs -O quota,project and mount -o prjquota; XFS: mount -o prjquota).");
        try
        {
            UnionWritable tree = OpenTree(directory) ?? Make(directory, lower, isReadOnly: spec.Writable is null, cancellationToken);
            return ReadOnlyMount(spec, tree, $"{place}/{Tree}") ?? new UnionMount(spec, Driver, "copy", Descriptors.Duplicate(tree.Content), isDetached: false, $"{place}/{Tree}", spec.Writable is null ? null : tree, null);
        }
        catch (LinuxException exception)
        {
            throw UnionFailure.Of($"Cannot copy {spec.Lower.Length} branches to \"{place}\"", exception, UnionFsErrorReason.Failed);
        }
    }

    /// <summary>Who may mount gets a union that is only read as a read-only mount; who may not has to leave it alone.</summary>
    private UnionMount? ReadOnlyMount(UnionSpec spec, UnionWritable tree, string path)
    {
        if (spec.Writable is not null || !MaySeal) return null;
        FileDescriptor mount = MountCalls.Clone(tree.Content);
        try
        {
            MountCalls.SetAttributes(mount, Abi.MOUNT_ATTR_RDONLY | (spec.AllowDevices ? 0 : Abi.MOUNT_ATTR_NODEV));
            return new UnionMount(spec, Driver, "copy, bound read-only", mount, isDetached: true, null, null, () =>
            {
                tree.Dispose();
                return ValueTask.CompletedTask;
            });
        }
        catch (LinuxException exception) when (exception.Errno == Errno.ENOSYS)
        {
            mount.Dispose(); // Linux before 5.12
            return new UnionMount(spec, Driver, "copy", Descriptors.Duplicate(tree.Content), isDetached: false, path, null, null);
        }
        catch
        {
            mount.Dispose();
            throw;
        }
    }

    // Whether nobody can write through the copy, so that it may consist of further names of the branches' own files.
    private static bool MaySeal { get; } = ReadMaySeal();

    private static bool ReadMaySeal()
    {
        nint result = MountContext.TryOpen("tmpfs", out MountContext? context);
        context?.Dispose();
        return !Syscall.IsError(result) && MountCalls.HasSetAttributes();
    }

    private static UnionWritable? OpenTree(FileDescriptor directory)
    {
        nint result = FileEntries.Status(directory, FileName.Of(Stamp), out FileStatus stamp);
        if (Syscall.IsError(result)) return null;
        FileDescriptor tree = MergedTree.OpenDirectory(directory, FileName.Of(Tree), "");
        return new(tree, WhiteoutForm.Overlay, IsWhole: true, stamp.Changed);
    }

    /// <summary>Under another name until it is whole: a copy that was interrupted is never taken for a union.</summary>
    private static UnionWritable Make(FileDescriptor directory, OpenedBranches lower, bool isReadOnly, CancellationToken cancellationToken)
    {
        TreeRemoval.Remove(directory, FileName.Of(Unfinished));
        TreeRemoval.Remove(directory, FileName.Of(Tree));
        Syscall.Check(FileEntries.MakeDirectory(directory, FileName.Of(Unfinished), 0x1C0), "mkdirat", $"\"{Unfinished}\"");
        try
        {
            using (FileDescriptor target = MergedTree.OpenDirectory(directory, FileName.Of(Unfinished), ""))
                new MergedCopy(mayLink: isReadOnly && MaySeal, owners: null, cancellationToken).Run(new MergedTree([.. lower.FromTop(WhiteoutForm.Overlay)]), target);
            Syscall.Check(FileEntries.Rename(directory, FileName.Of(Unfinished), directory, FileName.Of(Tree)), "renameat2", $"\"{Tree}\"");
        }
        catch
        {
            TreeRemoval.Remove(directory, FileName.Of(Unfinished));
            throw;
        }

        // Its time of change is when the copy was whole. A file that is changed within the same tick of the clock has the same, and is compared.
        nint stamp = FileEntries.Open(directory, FileName.Of(Stamp), Abi.O_WRONLY | Abi.O_CREAT, 0x100 /* 0400 */);
        new FileDescriptor((int)Syscall.Check(stamp, "openat", $"\"{Stamp}\"")).Dispose();
        return OpenTree(directory)!;
    }
}
