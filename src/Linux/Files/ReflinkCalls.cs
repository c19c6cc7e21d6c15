namespace Isolation.Linux;

/// <summary>Files that share their blocks until one is written (ioctl_ficlone(2): btrfs, XFS, bcachefs).</summary>
internal static class ReflinkCalls
{
    /// <summary>Gives an empty file the content of another.</summary>
    /// <returns>0 or -errno: EOPNOTSUPP, EXDEV or EINVAL where the file systems cannot.</returns>
    internal static nint Clone(FileDescriptor source, FileDescriptor target)
    {
        using var from = source.Hold();
        using var to = target.Hold();
        return Syscall.Invoke(SystemCall.ioctl, to.Number, Abi.FICLONE, from.Number);
    }
}
