using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Isolation.Cgroups;

/// <summary>In which groups a process is: <c>/proc/[pid]/cgroup</c> (cgroups(7)).</summary>
/// <param name="V1">The group by the kernel's name of each controller, and by <c>name=…</c>.</param>
/// <param name="V2">The group of the v2 hierarchy; null where the kernel has none.</param>
/// <param name="Hierarchies">The controllers of each of v1, mounted or not.</param>
internal sealed record OwnGroups(FrozenDictionary<string, string> V1, string? V2, ImmutableArray<ImmutableArray<string>> Hierarchies)
{
    /// <exception cref="CgroupException">A line is none.</exception>
    internal static OwnGroups Read() => Parse(File.ReadAllText("/proc/self/cgroup"));

    /// <exception cref="CgroupException">A line is none.</exception>
    internal static OwnGroups Parse(string text)
    {
        Dictionary<string, string> paths = new(StringComparer.Ordinal);
        List<ImmutableArray<string>> hierarchies = [];
        string? unified = null;
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // A path may contain colons.
            string[] parts = line.Split(':', 3);
            if (parts.Length < 3 || !parts[2].StartsWith('/')) throw new CgroupException(CgroupErrorReason.Malformed, $"/proc/self/cgroup has the line '{line}', which is not ID:CONTROLLERS:/PATH");
            if (parts[0] == "0" && parts[1].Length == 0)
            {
                unified = parts[2];
                continue;
            }

            hierarchies.Add([.. parts[1].Split(',')]);
            foreach (string controller in hierarchies[^1]) paths[controller] = parts[2];
        }

        return new(paths.ToFrozenDictionary(StringComparer.Ordinal), unified, [.. hierarchies]);
    }
}
