namespace Isolation;

/// <summary>How a file or directory of the host is bound into a container. Immutable.</summary>
public sealed record BindOptions
{
    /// <summary>
    /// Writes fail with EROFS, also in mounts beneath the source (mount_setattr(2), Linux 5.12; before it each mount
    /// beneath is remounted by itself). Default false.
    /// </summary>
    public bool ReadOnly { get; init; }

    /// <summary>Mounts beneath the source come along. Default true.</summary>
    public bool Recursive { get; init; } = true;

    /// <summary>Default <see cref="MountPropagation.Private"/>.</summary>
    public MountPropagation Propagation { get; init; } = MountPropagation.Private;

    /// <summary>Programs in it can be executed. Default true.</summary>
    public bool AllowExecution { get; init; } = true;

    /// <summary>
    /// No part of the source's path may be a symbolic link; the container does not start where one is. For a source below a directory that somebody else may
    /// write: who can put a link there chooses what is bound (openat2(2), RESOLVE_NO_SYMLINKS, Linux 5.6). Default false.
    /// </summary>
    public bool NoSymbolicLinks { get; init; }

    /// <summary>
    /// Owners are seen, and files made, as the container's ids and not as the host's they are mapped to: what belongs to root on disk belongs to root inside
    /// (mount_setattr(2), MOUNT_ATTR_IDMAP, Linux 5.12, and a file system that can). Takes CAP_SYS_ADMIN in the host's user namespace; where the container has
    /// no other ids than the host's it changes nothing. Default false, but always so of volumes of a container with ids of its own.
    /// </summary>
    public bool MapIds { get; init; }

    /// <summary>Whether files get an SELinux label that the container may use. Default <see cref="SelinuxRelabel.None"/>.</summary>
    public SelinuxRelabel Relabel { get; init; }

    /// <summary>Device files in it can be opened. Default false.</summary>
    public bool AllowDevices { get; init; }
}
