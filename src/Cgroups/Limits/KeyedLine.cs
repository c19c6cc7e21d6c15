namespace Isolation.Cgroups;

/// <summary>Files that have a line for each device, interface or resource.</summary>
internal static class KeyedLine
{
    /// <summary>The line that begins with a key; null where there is none.</summary>
    internal static string? Find(string text, string key) => text.Split('\n').FirstOrDefault(line => line.StartsWith(key + " ", StringComparison.Ordinal));

    /// <summary>What takes back a value that somebody else has chosen, by what the file said before it: of files with a line for each device or resource, that line.</summary>
    internal static string Undo(string before, string file, string value)
    {
        if (value.Split(' ', 2) is not [{ } key, _]) return before;
        return file switch
        {
            "io.max" => Find(before, key) ?? key + IoV2.NoLimits,
            "rdma.max" => Find(before, key) ?? key + RdmaLine.NoLimits,
            "misc.max" => Find(before, key) ?? key + " max",
            "io.latency" => Find(before, key) ?? key + " target=0",
            "io.weight" or "io.bfq.weight" => Find(before, key) ?? key + " default",
            _ => before,
        };
    }
}
