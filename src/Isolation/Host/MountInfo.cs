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
        List<(string Path, string Type, uint Attributes)> all = [];
        Dictionary<string, int> last = new(StringComparer.Ordinal);
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split(' ');
            int separator = Array.IndexOf(words, "-");
            if (words.Length < 6 || separator < 0 || separator + 1 >= words.Length) continue;
            string path = Unescape(words[4]);
            last[path] = all.Count;
            all.Add((path, words[separator + 1], Attributes(words[5])));
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
