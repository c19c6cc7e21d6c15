using System.Buffers;
using System.Text;

namespace Isolation;

/// <summary>Paths and names as a caller wrote them, checked before anything is made of them.</summary>
internal static class PathText
{
    private const int LongestPath = 4095; // PATH_MAX, its NUL included, is 4096
    private const int LongestHostName = 64; // __NEW_UTS_LEN

    private static readonly SearchValues<char> NotInHostNames = SearchValues.Create(" \t\n\r\0/");

    internal static string Checked(string path, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(path, parameter);
        if (path.Contains('\0')) throw new ArgumentException($"The path '{Shown(path)}' holds NUL.", parameter);
        if (Encoding.UTF8.GetByteCount(path) > LongestPath) throw new PathTooLongException($"The path '{path[..40]}...' is longer than {LongestPath} bytes.");
        return path;
    }

    internal static string Absolute(string path, string parameter)
    {
        Checked(path, parameter);
        if (path[0] != '/') throw new ArgumentException($"The path '{path}' is not absolute: inside a container every path begins with '/'.", parameter);
        return path;
    }

    /// <summary>Where a mount goes: absolute, below the root, and without <c>..</c>. Written without repeated or final slashes.</summary>
    internal static string Target(string path, string parameter)
    {
        Absolute(path, parameter);
        string[] names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (names.Contains("..")) throw new ArgumentException($"The target '{path}' holds '..': write where it is.", parameter);
        string target = "/" + string.Join('/', names.Where(name => name != "."));
        if (target == "/") throw new ArgumentException($"The target '{path}' is the root: choose it with FromDirectory or FromHost.", parameter);
        return target;
    }

    internal static string HostName(string name, string parameter)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name, parameter);
        if (Encoding.UTF8.GetByteCount(name) > LongestHostName)
            throw new ArgumentException($"The name '{name}' is longer than {LongestHostName} bytes.", parameter);
        if (name.AsSpan().ContainsAny(NotInHostNames)) throw new ArgumentException($"The name '{Shown(name)}' holds a character that no host name holds.", parameter);
        return name;
    }

    // A NUL would cut the message short where it is printed.
    private static string Shown(string text) => text.Replace("\0", "\\0", StringComparison.Ordinal);
}
