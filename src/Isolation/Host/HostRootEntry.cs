namespace Isolation;

internal enum HostEntryKind
{
    File,
    Directory,
    EmptyDirectory,
    SymbolicLink,
}

/// <summary>An entry of the host's <c>/</c>, or a directory one level further down where mounts lie beneath it.</summary>
/// <param name="Name">Without the slash; a directory within one that holds mounts is <c>name/child</c>.</param>
/// <param name="Kind">What it is; what is none of these is left out.</param>
/// <param name="Link">Where a symbolic link points, else null.</param>
/// <param name="Mode">Permission bits.</param>
internal readonly record struct HostRootEntry(string Name, HostEntryKind Kind, string? Link, int Mode);
