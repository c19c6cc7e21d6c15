using System.Collections.Immutable;
using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>Where a hierarchy of control groups is mounted.</summary>
/// <param name="MountPoint">The directory of the host.</param>
/// <param name="Root">Which group is there, as the hierarchy's root sees it: not <c>/</c> where only a part was bound.</param>
/// <param name="Version">Of its interface.</param>
/// <param name="Controllers">On v1, the kernel's names of the controllers that are in this hierarchy.</param>
/// <param name="Name">On v1, of a hierarchy without controllers (<c>name=systemd</c>); else null.</param>
/// <param name="IsReadOnly">Nothing can be made there.</param>
internal sealed record CgroupMount(string MountPoint, string Root, CgroupVersion Version, ImmutableArray<string> Controllers, string? Name, bool IsReadOnly)
{
    /// <summary>All of them, of the text of <c>/proc/self/mountinfo</c>. Of two mounts of one hierarchy the first that shows it from its root is listed.</summary>
    internal static ImmutableArray<CgroupMount> Parse(string mountInfo)
    {
        List<CgroupMount> mounts = [];
        foreach (MountEntry entry in MountEntry.Parse(mountInfo))
        {
            if (Of(entry) is not { } mount) continue;
            int same = mounts.FindIndex(other => other.Version == mount.Version && other.Name == mount.Name && other.Controllers.SequenceEqual(mount.Controllers));
            if (same < 0) mounts.Add(mount);
            else if (IsBetter(mount, mounts[same])) mounts[same] = mount;
        }

        return [.. mounts];
    }

    private static bool IsBetter(CgroupMount mount, CgroupMount than) =>
        (than.IsReadOnly && !mount.IsReadOnly) || (than.IsReadOnly == mount.IsReadOnly && than.Root != "/" && mount.Root == "/");

    private static CgroupMount? Of(MountEntry entry)
    {
        bool isReadOnly = entry.Options.Split(',').Contains("ro");
        if (entry.Type == "cgroup2") return new(entry.MountPoint, entry.Root, CgroupVersion.V2, [], null, isReadOnly);
        if (entry.Type != "cgroup") return null;

        // What is neither an option of every file system nor one of v1's own names a controller (cgroups(7)).
        string[] options = entry.SuperOptions.Split(',');
        string? name = options.FirstOrDefault(option => option.StartsWith("name=", StringComparison.Ordinal))?["name=".Length..];
        ImmutableArray<string> controllers = [.. options.Where(option => ControllerName.Find(option) is not null).Order(StringComparer.Ordinal)];
        return new(entry.MountPoint, entry.Root, CgroupVersion.V1, controllers, name, isReadOnly);
    }
}
