using System.Collections.Concurrent;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// Which directories of host tmpfs running containers of this process have bound: two containers on one is mostly a
/// mistake, and makes a program misjudge its space.
/// </summary>
internal static class SharedTmpfs
{
    private static readonly ConcurrentDictionary<(ulong Device, ulong Inode), ContainerLaunch> Bound = new();

    internal static void Note(ContainerLaunch launch)
    {
        foreach (BindMount bind in launch.Spec.Mounts.OfType<BindMount>())
        {
            if (!TryIdentify(bind.Source, out (ulong, ulong) directory)) continue;
            ContainerLaunch first = Bound.GetOrAdd(directory, launch);
            if (first != launch) LaunchLog.SharedTmpfs(launch.Spec.Logger, bind.Source, launch.Id, first.Id);
        }
    }

    internal static void Forget(ContainerLaunch launch)
    {
        if (!launch.Spec.HasBinds) return;
        foreach (KeyValuePair<(ulong, ulong), ContainerLaunch> entry in Bound)
            if (entry.Value == launch) Bound.TryRemove(entry);
    }

    private static bool TryIdentify(string path, out (ulong Device, ulong Inode) directory)
    {
        directory = default;
        try
        {
            using FileDescriptor descriptor = FileDescriptor.Open(path, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY);
            if (FileSystemType.Of(descriptor) != Abi.TMPFS_MAGIC) return false;
            FileStatus status = FileStatus.Of(descriptor);
            directory = (((ulong)status.Device.Major << 32) | status.Device.Minor, status.Inode);
            return true;
        }
        catch (LinuxException)
        {
            return false; // not a directory, or gone: the mount itself will say so
        }
    }
}
