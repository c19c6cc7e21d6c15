namespace Isolation.Cgroups;

/// <summary>The controllers that the kernel was built with: <c>/proc/cgroups</c> (cgroups(7)).</summary>
internal static class KernelControllers
{
    /// <summary>Whether each is enabled, by the kernel's v1 name; one that is not may be by the boot option <c>cgroup_disable=</c>.</summary>
    internal static IReadOnlyDictionary<string, bool> Parse(string text)
    {
        Dictionary<string, bool> enabled = new(StringComparer.Ordinal);
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line[0] == '#') continue;
            string[] columns = line.Split('\t', ' ');
            if (columns.Length < 4) throw new CgroupException(CgroupErrorReason.Malformed, $"/proc/cgroups has the line '{line}', which is not NAME HIERARCHY NUMBER ENABLED");
            enabled[columns[0]] = columns[3] != "0";
        }

        return enabled;
    }
}
