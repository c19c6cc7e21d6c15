using System.Collections.Immutable;
using Isolation.Linux;

namespace Isolation;

/// <summary>Parses <c>/proc/[pid]/mountinfo</c> (proc(5)).</summary>
internal static class MountInfo
{
    /// <summary>
    /// The mounts that can be seen, outermost first: a mount is hidden by a later one on the same place or above it.
    /// </summary>
    /// <param name="text">The whole file.</param>
    /// <param name="isDirectory">Whether a mount point is a directory.</param>
    internal static ImmutableArray<HostMount> Visible(string text, Func<string, bool> isDirectory)
    {
        List<(string Path, string Type, uint Attributes)> all = [];
        Dictionary<string, int> last = new(StringComparer.Ordinal);
        foreach (MountEntry mount in MountEntry.Parse(text))
        {
            last[mount.MountPoint] = all.Count;
            all.Add((mount.MountPoint, mount.Type, Attributes(mount.Options)));
        }

        return [.. all.Where((mount, index) => IsVisible(mount.Path, index, last))
            .OrderBy(mount => mount.Path == "/" ? 0 : mount.Path.Count('/')).ThenBy(mount => mount.Path, StringComparer.Ordinal)
            .Select(mount => new HostMount(mount.Path, mount.Type, isDirectory(mount.Path), mount.Attributes))];
    }

    private static bool IsVisible(string path, int index, Dictionary<string, int> last)
    {
        if (last[path] != index) return false;
        for (int slash = path.Length; (slash = path.LastIndexOf('/', slash - 1)) >= 0;)
        {
            string above = slash == 0 ? "/" : path[..slash];
            if (above != path && last.TryGetValue(above, out int later) && later > index) return false;
            if (slash == 0) break;
        }

        return true;
    }

    private static uint Attributes(string options)
    {
        uint attributes = 0;
        foreach (string option in options.Split(','))
        {
            attributes |= option switch
            {
                "ro" => Linux.Abi.MOUNT_ATTR_RDONLY,
                "nosuid" => Linux.Abi.MOUNT_ATTR_NOSUID,
                "nodev" => Linux.Abi.MOUNT_ATTR_NODEV,
                "noexec" => Linux.Abi.MOUNT_ATTR_NOEXEC,
                _ => 0,
            };
        }

        return attributes;
    }
}
