using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>The mounts the caller asked for.</summary>
internal static class BindSteps
{
    /// <summary>Detached copies of the sources of binds, with their attributes and propagation.</summary>
    internal static List<(BindMount, Slot)> OpenSources(MountWriter mounts)
    {
        List<(BindMount, Slot)> sources = [];
        foreach (BindMount bind in mounts.Inputs.Spec.Mounts.OfType<BindMount>())
        {
            string path = bind.SourceFor(mounts.Inputs.Directory);
            mounts.Writer.For($"open the source '{path}' of the mount at '{bind.Target}'");
            Slot source = mounts.Passed(bind.Target) ?? (bind.Options.NoSymbolicLinks ? mounts.CloneOfHostWithoutLinks(path, bind.Options.Recursive) : mounts.CloneOfHost(path, bind.Options.Recursive));
            mounts.SetAttributes(source, Attributes(bind), bind.Options.Recursive, Propagation(bind.Options.Propagation));
            sources.Add((bind, source));
        }

        return sources;
    }

    internal static void Attach(MountWriter mounts, List<(BindMount Mount, Slot Source)> binds)
    {
        foreach (MountSpec mount in mounts.Inputs.Spec.Mounts)
        {
            mounts.Writer.For($"mount '{mount.Target}'");
            string target = mount.Target[1..];
            switch (mount)
            {
                case BindMount bind:
                    mounts.CreateInRoot(target, directory: !mounts.Inputs.FileSources.Contains(bind.Source));
                    Slot source = binds.First(candidate => ReferenceEquals(candidate.Mount, bind)).Source;
                    mounts.Attach(source, target);
                    mounts.SetPropagation(source, Propagation(bind.Options.Propagation), bind.Options.Recursive);
                    mounts.Remount(source, Attributes(bind), bind.SourceFor(mounts.Inputs.Directory), bind.Options.Recursive);
                    break;
                case TmpfsMount tmpfs:
                    mounts.CreateInRoot(target, directory: true);
                    MountAttributes attributes = MountAttributes.Data
                        .With(!tmpfs.Options.AllowExecution, MOUNT_ATTR_NOEXEC)
                        .With(tmpfs.Options.ReadOnly, MOUNT_ATTR_RDONLY);
                    mounts.Attach(mounts.NewTmpfs(attributes, tmpfs.Options.SizeBytes, tmpfs.Options.Mode, tmpfs.Options.Inodes), target);
                    break;
            }
        }
    }

    private static MountAttributes Attributes(BindMount bind) => new MountAttributes(MOUNT_ATTR_NOSUID)
        .With(bind.Options.ReadOnly, MOUNT_ATTR_RDONLY)
        .With(!bind.Options.AllowDevices, MOUNT_ATTR_NODEV)
        .With(!bind.Options.AllowExecution, MOUNT_ATTR_NOEXEC);

    private static ulong Propagation(MountPropagation propagation) => propagation switch
    {
        MountPropagation.Slave => MS_SLAVE,
        MountPropagation.Shared => MS_SHARED,
        MountPropagation.Unbindable => MS_UNBINDABLE,
        _ => MS_PRIVATE,
    };
}
