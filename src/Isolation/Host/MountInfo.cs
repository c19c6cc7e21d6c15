using System.Collections.Immutable;
using System.Text;

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
        List<(string Path, string Type, uint Attributes)> seen = [];
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split(' ');
            int separator = Array.IndexOf(words, "-");
            if (words.Length < 6 || separator < 0 || separator + 1 >= words.Length) continue;
            string path = Unescape(words[4]);
            seen.RemoveAll(mount => mount.Path == path || IsBeneath(mount.Path, path));
            seen.Add((path, words[separator + 1], Attributes(words[5])));
        }

        return [.. seen.OrderBy(mount => mount.Path.Count('/')).ThenBy(mount => mount.Path, StringComparer.Ordinal)
            .Select(mount => new HostMount(mount.Path, mount.Type, isDirectory(mount.Path), mount.Attributes))];
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

    private static bool IsBeneath(string path, string parent) =>
        parent == "/" ? path != "/" : path.StartsWith(parent, StringComparison.Ordinal) && path.Length > parent.Length && path[parent.Length] == '/';

    /// <summary>Space, tab, newline and backslash are written as three octal digits.</summary>
    internal static string Unescape(string text)
    {
        if (!text.Contains('\\')) return text;
        List<byte> bytes = [];
        byte[] source = Encoding.UTF8.GetBytes(text);
        for (int i = 0; i < source.Length; i++)
        {
            if (source[i] == '\\' && i + 3 < source.Length
                && IsOctal(source[i + 1]) && IsOctal(source[i + 2]) && IsOctal(source[i + 3]))
            {
                bytes.Add((byte)(((source[i + 1] - '0') << 6) | ((source[i + 2] - '0') << 3) | (source[i + 3] - '0')));
                i += 3;
            }
            else
            {
                bytes.Add(source[i]);
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static bool IsOctal(byte digit) => digit is >= (byte)'0' and <= (byte)'7';
}
