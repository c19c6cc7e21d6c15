using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// Which directories of host tmpfs running containers of this process have bound: two containers on one is mostly a
/// mistake, and makes a program misjudge its space.
/// </summary>
internal static class SharedTmpfs
{
    private static readonly Lock Gate = new();
    private static readonly List<(ulong Device, ulong Inode, ContainerLaunch Launch)> Bound = [];

    internal static void Note(ContainerLaunch launch)
    {
        foreach (BindMount bind in launch.Spec.Mounts.OfType<BindMount>())
        {
            if (bind is VolumeMount || !TryIdentify(bind.Source, out (ulong Device, ulong Inode) directory)) continue;
            ContainerLaunch? other;
            lock (Gate)
            {
                other = Bound.Find(entry => (entry.Device, entry.Inode) == directory && entry.Launch != launch).Launch;
                Bound.Add((directory.Device, directory.Inode, launch));
            }

            if (other is not null) launch.Observer.SharedTmpfs(bind.Source, other.Id);
        }
    }

    internal static void Forget(ContainerLaunch launch)
    {
        if (!launch.Spec.HasBinds) return;
        lock (Gate) Bound.RemoveAll(entry => entry.Launch == launch);
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
