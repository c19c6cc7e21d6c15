namespace Isolation.UnionFs;

/// <summary>Options of overlayfs (Documentation/filesystems/overlayfs.rst). <see langword="null"/> leaves the kernel's own setting.</summary>
public sealed record OverlayOptions
{
    /// <summary>
    /// Whether a change of owner or mode copies up only those, and the content later (<c>metacopy</c>, Linux 4.19). Such a
    /// writable branch cannot be read without the branches below.
    /// </summary>
    public bool? Metacopy { get; init; }

    /// <summary>Whether a directory of a lower branch can be renamed (<c>redirect_dir</c>, Linux 4.10); otherwise rename(2) answers EXDEV.</summary>
    public bool? RedirectDirectories { get; init; }

    /// <summary>
    /// Leave out all syncs of the writable branch (<c>volatile</c>, Linux 5.10): faster, and after a crash of the machine the
    /// branch is refused, since nobody knows what is in it.
    /// </summary>
    public bool Volatile { get; init; }

    /// <summary>The SELinux label that every file of the union has, whatever is on disk (<c>context</c>, mount(8)); null for the files' own.</summary>
    public string? Context { get; init; }

    /// <summary>
    /// Whether whiteouts and the like are attributes <c>user.overlay.*</c> (<c>userxattr</c>, Linux 5.11). By default in a user
    /// namespace, where <c>trusted.*</c> is out of reach.
    /// </summary>
    public bool? UserAttributes { get; init; }
}
