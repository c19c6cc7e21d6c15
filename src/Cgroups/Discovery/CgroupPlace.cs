namespace Isolation.Cgroups;

/// <summary>A hierarchy, and where this process is in it.</summary>
/// <param name="Mount">Where it is mounted.</param>
/// <param name="OwnPath">The group of this process, as <c>/proc/self/cgroup</c> has it: seen from the root of its control group namespace.</param>
internal sealed record CgroupPlace(CgroupMount Mount, string OwnPath)
{
    /// <summary>What a process of ours that stands in the way of other groups is moved to.</summary>
    internal const string Leaf = "isolation-host";

    /// <summary>The directory of this process's group, or where it has made room in it; of the mount itself, where the group is not beneath it.</summary>
    internal string OwnDirectory
    {
        get
        {
            string own = DirectoryOf(OwnPath) ?? Mount.MountPoint;
            return Path.GetFileName(own) == Leaf ? Path.GetDirectoryName(own)! : own;
        }
    }

    /// <summary>The directory of a group; null where it is not beneath what is mounted.</summary>
    internal string? DirectoryOf(string path)
    {
        // In a namespace of its own that was entered from outside, what is not beneath its root begins with "/..".
        if (path.Split('/').Contains("..")) return null;
        if (Mount.Root == "/") return Join(path);
        if (path == Mount.Root) return Mount.MountPoint;
        return path.StartsWith(Mount.Root + "/", StringComparison.Ordinal) ? Join(path[Mount.Root.Length..]) : null;
    }

    private string Join(string path) => path == "/" ? Mount.MountPoint : Mount.MountPoint.TrimEnd('/') + path;
}
