namespace Isolation;

/// <summary>A mount of the calling process that is visible: not hidden by a later one.</summary>
/// <param name="Path">Where it is mounted.</param>
/// <param name="FileSystem">Its type, such as <c>ext4</c>.</param>
/// <param name="IsDirectory">False for a mount on a file.</param>
/// <param name="Attributes">Read-only, nosuid, nodev and noexec, as MOUNT_ATTR_ bits: in a new user namespace they cannot be taken off.</param>
internal readonly record struct HostMount(string Path, string FileSystem, bool IsDirectory, uint Attributes = 0)
{
    internal bool IsBeneath(string path) => Path.Length > path.Length && Path.StartsWith(path, StringComparison.Ordinal) && (path == "/" || Path[path.Length] == '/');

    internal bool Holds(string path) => Path == "/" || path == Path || (path.StartsWith(Path, StringComparison.Ordinal) && path[Path.Length] == '/');
}
