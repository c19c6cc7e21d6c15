using Isolation.Linux;

namespace Isolation;

/// <summary>A path of a container, or of the host, taken apart: everything before its last component, and that.</summary>
/// <param name="Text">The path as it was given.</param>
/// <param name="Directory">Absolute; <c>/</c> for what lies there.</param>
/// <param name="Name">Ended by a NUL; null where the path says that a directory itself is meant: <c>/</c>, <c>/a/.</c>, <c>/a/..</c>.</param>
/// <param name="EndsInSlash">Whether the path asks for a directory.</param>
internal sealed record ContainerPath(string Text, string Directory, byte[]? Name, bool EndsInSlash)
{
    /// <exception cref="ArgumentException">The path is empty, relative, or contains a NUL.</exception>
    internal static ContainerPath Parse(string path, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(path, parameter);
        if (path.Contains('\0')) throw new ArgumentException("A path must not contain a NUL character.", parameter);
        if (path[0] != '/') throw new ArgumentException($"'{path}' is not absolute: a path in a container begins with a slash.", parameter);
        string trimmed = path.TrimEnd('/');
        int slash = trimmed.LastIndexOf('/');
        string name = trimmed[(slash + 1)..], directory = slash <= 0 ? "/" : trimmed[..slash];
        return name is "" or "." or ".." ? new(path, path, null, true) : new(path, directory, FileName.Of(name), trimmed.Length < path.Length);
    }
}
