using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>A line of <c>/proc/[pid]/mountinfo</c> (proc(5)).</summary>
internal sealed record MountLine(string Path, string[] Options, string[] Propagation, string Type, string[] SuperOptions)
{
    internal bool IsReadOnly => Options.Contains("ro");

    internal static MountLine[] Parse(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(ParseLine)];

    /// <summary>The one that is seen at a path: the last one there.</summary>
    internal static MountLine At(IEnumerable<MountLine> table, string path) => table.Last(mount => mount.Path == path);

    private static MountLine ParseLine(string line)
    {
        string[] words = line.Split(' ');
        int dash = Array.IndexOf(words, "-");
        return new(MountEntry.Unescape(words[4]), words[5].Split(','), words[6..dash], words[dash + 1], words[^1].Split(','));
    }
}
