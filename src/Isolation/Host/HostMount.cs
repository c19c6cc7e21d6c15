namespace Isolation;

/// <summary>A mount of the calling process that is visible: not hidden by a later one.</summary>
/// <param name="Path">Where it is mounted.</param>
/// <param name="FileSystem">Its type, such as <c>ext4</c>.</param>
/// <param name="IsDirectory">False for a mount on a file.</param>
internal readonly record struct HostMount(string Path, string FileSystem, bool IsDirectory);
