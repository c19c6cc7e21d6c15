using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>AUFS, where the kernel has it. Its branches must say what is gone in its own form.</summary>
internal sealed class AufsFileSystem : IUnionFileSystem
{
    private const string Point = "merged";

    public UnionDriver Driver => UnionDriver.Aufs;

    public UnionLimits Limits { get; } = new(AufsOptions.MostBranches - 1, IsDetached: true, SharesFiles: true, KeepsOwners: true, MapsIdentities: false);

    public WhiteoutForm LowerForm => WhiteoutForm.Aufs;

    public IEnumerable<UnionChange> Diff(UnionSpec spec, CancellationToken cancellationToken = default) => DirectoryDiff.Of(spec, WhiteoutForm.Aufs, cancellationToken);

    public Task<UnionMount> MountAsync(UnionSpec spec, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(Mount(spec));
    }

    private UnionMount Mount(UnionSpec spec)
    {
        SpecCheck.Check(spec, Limits, Driver);
        using OpenedBranches lower = OpenedBranches.Open(spec.Lower);
        nint probed = MountContext.TryOpen("aufs", out MountContext? context);
        context?.Dispose();
        if (Syscall.IsError(probed)) throw new UnionFsException(UnionFsErrorReason.DriverUnavailable, "This kernel has no AUFS", Syscall.Failure(probed, "fsopen", "aufs"), "Use another driver.");
        FileDescriptor? changes = null;
        UnionWritable? writable = null;
        try
        {
            if (spec.Writable is not null)
            {
                changes = WritableDirectory.Open(spec.Writable);
                if (spec.WritableBytes is { } bytes && !ProjectQuota.TryLimit(changes, bytes)) throw SpecCheck.Refused(Driver, $"limit of what is written to \"{spec.Writable}\"", "Its file system keeps no project quotas.");
                writable = new(WritableDirectory.Prepare(changes, lower.FromBottom[^1], withWork: false), WhiteoutForm.Aufs, IsWhole: false);
            }

            IReadOnlyList<string> options = AufsOptions.Build(
                spec.Writable is null ? null : $"{Path.GetFullPath(spec.Writable)}/{WritableDirectory.Upper}",
                [.. spec.Lower.Zip(lower.FromBottom).Reverse().Select(branch => (Path.GetFullPath(branch.First), AufsOptions.IsReadOnly(KernelFileSystem.TypeOf(branch.Second))))]);
            ulong flags = (spec.AllowDevices ? 0 : Abi.MS_NODEV) | (spec.Writable is null ? Abi.MS_RDONLY : 0);
            // Where nobody sees it, and nothing is left of it if this process is killed on the way.
            FileDescriptor root = PrivateMounts.Run(directory =>
            {
                WritableDirectory.MakeOne(directory, Point, 0x1C0);
                for (int i = 0; i < options.Count; i++)
                    Syscall.Check(MountCalls.Mount("none", Point, "aufs", flags | (i == 0 ? 0 : Abi.MS_REMOUNT), options[i]), "mount", $"aufs, {options[i]}");
                return MountCalls.Clone(Point);
            });
            return new UnionMount(spec, Driver, "mount(2), aufs", root, isDetached: true, null, writable, null);
        }
        catch (LinuxException exception)
        {
            writable?.Dispose();
            throw UnionFailure.Of($"Cannot mount an AUFS of {spec.Lower.Length} branches", exception, UnionFsErrorReason.Failed);
        }
        catch
        {
            writable?.Dispose();
            throw;
        }
        finally
        {
            changes?.Dispose();
        }
    }
}
