using System.Collections.Immutable;
using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>What is to be united. Immutable; nothing is looked at before it is mounted.</summary>
public sealed record UnionSpec
{
    /// <summary>
    /// Directories that are only read, from bottom to top: what is in a later one hides what is in those before. They must not
    /// change while they are mounted. What is gone of those below is said as <see cref="IUnionFileSystem.LowerForm"/> tells.
    /// </summary>
    public required ImmutableArray<string> Lower { get; init; }

    /// <summary>
    /// A directory of this union's own, in which the driver keeps what is written: empty the first time, and given again to
    /// see it again. <see langword="null"/> for a union that is only read.
    /// </summary>
    public string? Writable { get; init; }

    /// <summary>
    /// A directory of this union's own for what must have a path while it is mounted: the mount point of FUSE and AUFS, the
    /// copy of a union that is only read. <see cref="Writable"/> unless it is set. Overlayfs needs none.
    /// </summary>
    public string? Scratch { get; init; }

    /// <summary>
    /// A user namespace (a descriptor of <c>/proc/PID/ns/user</c>) whose identity map the read-only branches are seen through: an
    /// owner 0 on disk is its root. What is written has on disk the ids that the map gives. So containers with different maps share the same files. Overlayfs only, from Linux 5.19 on
    /// (mount_setattr(2), MOUNT_ATTR_IDMAP). It stays the caller's to dispose, after the mount is made.
    /// </summary>
    public FileDescriptor? IdentityMap { get; init; }

    /// <summary>
    /// How many bytes may be written; then writing fails with ENOSPC or EDQUOT. By a project quota where the file system of
    /// <see cref="Writable"/> has them, otherwise by a tmpfs, where the driver can write to one: that is memory, and gone with
    /// the mount. A process with CAP_SYS_RESOURCE passes over quotas, but for overlayfs, which writes without it.
    /// Without <see cref="Writable"/> it is the size of such a tmpfs, which overlayfs alone writes to. <see langword="null"/> sets no limit.
    /// </summary>
    public long? WritableBytes { get; init; }

    /// <summary>Whether it can be written, in a directory or in a tmpfs.</summary>
    internal bool IsWritable => Writable is not null || WritableBytes is not null;

    /// <summary>What overlayfs alone can be told; other drivers refuse what they cannot do and leave the rest.</summary>
    public OverlayOptions Overlay { get; init; } = new();

    /// <summary>Whether device files in the union can be opened. Not by default.</summary>
    public bool AllowDevices { get; init; }
}
