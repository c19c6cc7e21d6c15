namespace Isolation.UnionFs;

/// <summary>How a branch says what is gone of those below it.</summary>
public enum WhiteoutForm
{
    /// <summary>
    /// Overlayfs's: a character device 0/0 in place of what was removed; an attribute <c>trusted.overlay.opaque</c> or
    /// <c>user.overlay.opaque</c> of a directory that hides all below (Documentation/filesystems/overlayfs.rst).
    /// </summary>
    Overlay,

    /// <summary>
    /// AUFS's, which is also that of layers of OCI images (image-spec, layer.md, "Whiteouts"): a file <c>.wh.NAME</c> beside what
    /// was removed, and a file <c>.wh..wh..opq</c> in a directory that hides all below.
    /// </summary>
    Aufs,

    /// <summary>
    /// What fuse-overlayfs writes: devices where it may make them and files <c>.wh.NAME</c> where not, the attribute
    /// <c>user.fuseoverlayfs.opaque</c>. Reading it, both other forms are understood.
    /// </summary>
    FuseOverlay,
}
