using System.Collections.Immutable;

namespace Isolation;

/// <summary>One hierarchy of version 1 as the host has it mounted.</summary>
/// <param name="Name">Of its directory.</param>
/// <param name="Path">Where.</param>
/// <param name="Options">What mounts it again: its controllers, or its name.</param>
/// <param name="Controllers">Which it has.</param>
internal sealed record CgroupHierarchy(string Name, string Path, ImmutableArray<(string, string)> Options, ImmutableArray<string> Controllers);

/// <summary>The hierarchies of control groups that are mounted on the host: none of version 1 where it has version 2 alone.</summary>
/// <param name="V1">Those of version 1, in the order of their mounts.</param>
/// <param name="UnifiedPath">Where that of version 2 is mounted beside them; null where it is not.</param>
internal sealed record CgroupHierarchies(ImmutableArray<CgroupHierarchy> V1, string? UnifiedPath)
{
    private static readonly HashSet<string> Flags = ["rw", "ro", "xattr", "clone_children", "cpuset_v2_mode", "noprefix", "favordynmods", "seclabel"];

    internal static CgroupHierarchies None { get; } = new([], null);

    private static bool IsUsual(string path) => path.StartsWith("/sys/fs/cgroup/", StringComparison.Ordinal);

    /// <param name="mountInfo">As of proc_pid_mountinfo(5).</param>
    internal static CgroupHierarchies Parse(string mountInfo)
    {
        ImmutableArray<CgroupHierarchy>.Builder found = ImmutableArray.CreateBuilder<CgroupHierarchy>();
        string? unified = null;
        foreach (string line in mountInfo.Split('\n'))
        {
            string[] halves = line.Split(" - ");
            if (halves.Length != 2 || halves[0].Split(' ') is not { Length: > 5 } fields || halves[1].Split(' ') is not { Length: > 2 } type) continue;
            string path = fields[4];
            if (type[0] == "cgroup2" && (unified is null || IsUsual(path))) unified = path;
            if (type[0] != "cgroup") continue;
            string[] options = [.. type[2].Split(',').Where(option => !Flags.Contains(option) && !option.StartsWith("release_agent=", StringComparison.Ordinal))];
            CgroupHierarchy one = new(System.IO.Path.GetFileName(path), path,
                [.. options.Select(option => option.Split('=', 2) is [{ } key, { } value] ? (key, value) : (option, ""))],
                [.. options.Where(option => !option.Contains('=', StringComparison.Ordinal))]);

            // Mounted more than once it is one all the same.
            int before = 0;
            while (before < found.Count && !found[before].Options.SequenceEqual(one.Options)) before++;
            if (before == found.Count) found.Add(one);
            else if (IsUsual(path) && !IsUsual(found[before].Path)) found[before] = one;
        }

        return new(found.ToImmutable(), unified);
    }
}
