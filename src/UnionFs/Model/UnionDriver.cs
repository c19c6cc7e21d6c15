namespace Isolation.UnionFs;

/// <summary>Who makes a union of branches.</summary>
public enum UnionDriver
{
    /// <summary>The kernel's overlayfs. Needs CAP_SYS_ADMIN over the mount namespace that this process is in.</summary>
    Overlay,

    /// <summary>AUFS, which is in no kernel of kernel.org; some distributions had it.</summary>
    Aufs,

    /// <summary>The program fuse-overlayfs, for users without privilege and for old kernels.</summary>
    FuseOverlay,

    /// <summary>A copy of all branches in one directory. Works anywhere.</summary>
    Copy,
}
