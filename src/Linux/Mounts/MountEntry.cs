using System.Text;

namespace Isolation.Linux;

/// <summary>One line of <c>/proc/[pid]/mountinfo</c> (proc(5)).</summary>
/// <param name="Root">Which directory of the file system is mounted.</param>
/// <param name="MountPoint">Where.</param>
/// <param name="Options">Of this mount, by commas.</param>
/// <param name="Type">Of the file system.</param>
/// <param name="SuperOptions">Of the file system, by commas.</param>
internal readonly record struct MountEntry(string Root, string MountPoint, string Options, string Type, string SuperOptions)
{
    /// <summary>The lines that can be understood, in their order.</summary>
    internal static IEnumerable<MountEntry> Parse(string text)
    {
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split(' ');
            int separator = Array.IndexOf(words, "-", Math.Min(6, words.Length));
            if (separator < 0 || separator + 1 >= words.Length) continue;
            yield return new(Unescape(words[3]), Unescape(words[4]), words[5], words[separator + 1], separator + 3 < words.Length ? words[separator + 3] : "");
        }
    }

    /// <summary>The source of a file system, by its device as stat(2) tells it: for one on a disk, the device file.</summary>
    internal static string? SourceOf(string text, uint major, uint minor)
    {
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split(' ');
            int separator = Array.IndexOf(words, "-", Math.Min(6, words.Length));
            if (separator > 0 && separator + 2 < words.Length && words[2] == $"{major}:{minor}") return Unescape(words[separator + 2]);
        }

        return null;
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
