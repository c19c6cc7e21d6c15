using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>What overlayfs means by an errno.</summary>
internal static class OverlayFailures
{
    internal static UnionFsException Unavailable(Errno errno) => errno switch
    {
        Errno.ENODEV => new(UnionFsErrorReason.DriverUnavailable, "This kernel has no overlayfs (CONFIG_OVERLAY_FS)", remedy: "Load the module \"overlay\", or use another driver."),
        Errno.ENOSYS => new(UnionFsErrorReason.DriverUnavailable, "fsopen(2) is hidden by a filter of system calls", remedy: "Let the surrounding container allow it, or use another driver."),
        _ => new(UnionFsErrorReason.DriverUnavailable, "Overlayfs needs CAP_SYS_ADMIN over this process's mount namespace, which it lacks",
            Syscall.Failure(-(int)errno, "fsopen", "overlay"), "Run as root or in a user namespace of your own, or use the driver FuseOverlay or Copy."),
    };

    internal static UnionFsException Explain(UnionSpec spec, LinuxException cause)
    {
        string what = $"Cannot mount an overlay of {spec.Lower.Length} branches{(spec.Writable is null ? "" : $" beneath \"{spec.Writable}\"")}: {cause.Message}";
        return (cause.Operation, cause.Errno) switch
        {
            ("mount_setattr", Errno.EINVAL or Errno.ENOSYS) => new(UnionFsErrorReason.NotSupported, what, cause,
                "The file system of a branch has no identity maps of mounts (ext4, XFS from Linux 5.12 and 5.15 on, btrfs 5.15, tmpfs 6.3), or the kernel none for overlays (5.19)."),
            (_, Errno.ELOOP) => new(UnionFsErrorReason.BranchesOverlap, what, cause, "A branch must not lie in another, nor in the writable one."),
            (_, Errno.EBUSY) => new(UnionFsErrorReason.WritableUnusable, what, cause, "The writable branch is in use by another mount."),
            (_, Errno.ESTALE) => new(UnionFsErrorReason.WritableUnusable, what, cause, "The writable branch was made over other read-only branches."),
            ("fsconfig" or "mount" or "fsmount", Errno.EINVAL) => new(UnionFsErrorReason.WritableUnusable, what, cause,
                "Most often: the writable branch lies on an overlay or a file system without extended attributes, overlays are stacked more than two deep, or it was mounted volatile when the machine crashed (then remove its directory work/incompat/volatile, or all of it). The kernel's log tells which."),
            _ => UnionFailure.Of($"Cannot mount an overlay of {spec.Lower.Length} branches", cause, UnionFsErrorReason.Failed),
        };
    }
}
