using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>
/// Calls on a name in a directory that is a descriptor, for a tree that this process makes or reads with its own rights.
/// Names and link targets are bytes ended by a NUL. Each call returns what the kernel returns: a value, or -errno. None
/// follows a link as last component. Safe from any thread.
/// </summary>
internal static unsafe class FileEntries
{
    /// <summary>As openat(2); O_CLOEXEC and O_NOFOLLOW are added.</summary>
    /// <returns>A descriptor, or -errno.</returns>
    internal static nint Open(FileDescriptor directory, ReadOnlySpan<byte> name, int flags, uint mode = 0)
    {
        using var held = directory.Hold();
        fixed (byte* bytes = name) return Syscall.openat(held.Number, bytes, flags | Abi.O_CLOEXEC | TargetAbi.Current.O_NOFOLLOW, mode);
    }

    internal static nint MakeDirectory(FileDescriptor directory, ReadOnlySpan<byte> name, uint mode)
    {
        using var held = directory.Hold();
        fixed (byte* bytes = name) return Syscall.mkdirat(held.Number, bytes, mode);
    }

    /// <param name="directory">Where.</param>
    /// <param name="name">Ended by a NUL.</param>
    /// <param name="mode">With the kind of node.</param>
    /// <param name="device">Of a device file; (0, 0) of a character device is overlayfs's whiteout, which anybody may make from Linux 5.8 on.</param>
    internal static nint MakeNode(FileDescriptor directory, ReadOnlySpan<byte> name, uint mode, (uint Major, uint Minor) device = default)
    {
        // The kernel's new_encode_dev: what mknodat takes is 32 bits wide (kdev_t.h).
        uint number = (device.Minor & 0xff) | (device.Major << 8) | ((device.Minor & ~0xffu) << 12);
        using var held = directory.Hold();
        fixed (byte* bytes = name) return Syscall.Invoke(SystemCall.mknodat, held.Number, (nint)bytes, (nint)mode, (nint)number);
    }

    internal static nint MakeLink(ReadOnlySpan<byte> target, FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        using var held = directory.Hold();
        fixed (byte* text = target, bytes = name) return Syscall.Invoke(SystemCall.symlinkat, (nint)text, held.Number, (nint)bytes);
    }

    /// <summary>A second name of a file.</summary>
    internal static nint AddName(FileDescriptor fromDirectory, ReadOnlySpan<byte> from, FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        using var source = fromDirectory.Hold();
        using var held = directory.Hold();
        fixed (byte* old = from, bytes = name) return Syscall.Invoke(SystemCall.linkat, source.Number, (nint)old, held.Number, (nint)bytes, 0);
    }

    /// <param name="fromDirectory">Where it is.</param>
    /// <param name="from">Its name.</param>
    /// <param name="directory">Where it is to be.</param>
    /// <param name="name">What has this name already is replaced.</param>
    /// <param name="flags">RENAME_NOREPLACE and the like (renameat2(2)).</param>
    internal static nint Rename(FileDescriptor fromDirectory, ReadOnlySpan<byte> from, FileDescriptor directory, ReadOnlySpan<byte> name, uint flags = 0)
    {
        using var source = fromDirectory.Hold();
        using var held = directory.Hold();
        fixed (byte* old = from, bytes = name) return Syscall.Invoke(SystemCall.renameat2, source.Number, (nint)old, held.Number, (nint)bytes, (nint)flags);
    }

    internal static nint Remove(FileDescriptor directory, ReadOnlySpan<byte> name, bool isDirectory = false)
    {
        using var held = directory.Hold();
        fixed (byte* bytes = name) return Syscall.Invoke(SystemCall.unlinkat, held.Number, (nint)bytes, isDirectory ? Abi.AT_REMOVEDIR : 0);
    }

    internal static nint Status(FileDescriptor directory, ReadOnlySpan<byte> name, out FileStatus status)
    {
        using var held = directory.Hold();
        return FileStatus.TryGet(held.Number, name, out status);
    }

    /// <returns>How many bytes the target has, or -errno; where it is as long as the buffer there may be more.</returns>
    internal static nint LinkTarget(FileDescriptor directory, ReadOnlySpan<byte> name, Span<byte> target)
    {
        using var held = directory.Hold();
        fixed (byte* bytes = name, text = target) return Syscall.readlinkat(held.Number, bytes, text, (nuint)target.Length);
    }

    internal static nint ChangeOwner(FileDescriptor directory, ReadOnlySpan<byte> name, uint user, uint group)
    {
        using var held = directory.Hold();
        fixed (byte* bytes = name) return Syscall.Invoke(SystemCall.fchownat, held.Number, (nint)bytes, (nint)user, (nint)group, Abi.AT_SYMLINK_NOFOLLOW);
    }

    /// <param name="file">Not an O_PATH descriptor.</param>
    /// <param name="user">The new owner.</param>
    /// <param name="group">The new group.</param>
    internal static nint ChangeOwner(FileDescriptor file, uint user, uint group)
    {
        using var held = file.Hold();
        return Syscall.Invoke(SystemCall.fchown, held.Number, (nint)user, (nint)group);
    }

    /// <param name="file">Not an O_PATH descriptor.</param>
    /// <param name="mode">Permission bits.</param>
    internal static nint ChangeMode(FileDescriptor file, uint mode)
    {
        using var held = file.Hold();
        return Syscall.Invoke(SystemCall.fchmod, held.Number, (nint)mode);
    }

    /// <summary>Of a name that is no symbolic link: the call would follow it, and Linux before 6.6 has none that does not.</summary>
    internal static nint ChangeModeFollowing(FileDescriptor directory, ReadOnlySpan<byte> name, uint mode)
    {
        using var held = directory.Hold();
        fixed (byte* bytes = name) return Syscall.Invoke(SystemCall.fchmodat, held.Number, (nint)bytes, (nint)mode);
    }

    /// <param name="directory">Where.</param>
    /// <param name="name">Ended by a NUL.</param>
    /// <param name="accessed">Since 1970 in UTC; null leaves it.</param>
    /// <param name="modified">Since 1970 in UTC.</param>
    internal static nint ChangeTimes(FileDescriptor directory, ReadOnlySpan<byte> name, (long Seconds, uint Nanoseconds)? accessed, (long Seconds, uint Nanoseconds) modified)
    {
        using var held = directory.Hold();
        Span<long> times = [accessed?.Seconds ?? 0, accessed?.Nanoseconds ?? Abi.UTIME_OMIT, modified.Seconds, modified.Nanoseconds];
        fixed (long* both = times)
        fixed (byte* bytes = name)
            return Syscall.Invoke(SystemCall.utimensat, held.Number, (nint)bytes, (nint)both, Abi.AT_SYMLINK_NOFOLLOW);
    }

    /// <summary>Of an open file, without a name.</summary>
    internal static nint ChangeTimes(FileDescriptor file, (long Seconds, uint Nanoseconds)? accessed, (long Seconds, uint Nanoseconds) modified)
    {
        using var held = file.Hold();
        Span<long> times = [accessed?.Seconds ?? 0, accessed?.Nanoseconds ?? Abi.UTIME_OMIT, modified.Seconds, modified.Nanoseconds];
        fixed (long* both = times) return Syscall.Invoke(SystemCall.utimensat, held.Number, 0, (nint)both, 0);
    }

    /// <returns>The new position, or -errno.</returns>
    internal static nint Seek(FileDescriptor file, long position, int from = 0 /* SEEK_SET */)
    {
        using var held = file.Hold();
        return Syscall.Invoke(SystemCall.lseek, held.Number, (nint)position, from);
    }

    internal static nint SetSize(FileDescriptor file, long size)
    {
        using var held = file.Hold();
        return Syscall.InvokeRetrying(SystemCall.ftruncate, held.Number, (nint)size);
    }

    /// <summary>To disk, with what is needed to find it again.</summary>
    internal static nint Sync(FileDescriptor file)
    {
        using var held = file.Hold();
        return Syscall.InvokeRetrying(SystemCall.fsync, held.Number);
    }

    /// <summary>The whole file system that a file is on (syncfs(2)).</summary>
    internal static nint SyncFileSystem(FileDescriptor file)
    {
        using var held = file.Hold();
        return Syscall.InvokeRetrying(SystemCall.syncfs, held.Number);
    }

    /// <summary>The names of a file's extended attributes, each ended by a NUL, and none where the file system knows none.</summary>
    /// <param name="file">Not an O_PATH descriptor.</param>
    /// <param name="names">Where to; XATTR_LIST_MAX bytes are always enough.</param>
    /// <returns>How many bytes, or -errno.</returns>
    internal static nint ListAttributes(FileDescriptor file, Span<byte> names)
    {
        using var held = file.Hold();
        fixed (byte* bytes = names) return NoneIfUnknown(Syscall.Invoke(SystemCall.flistxattr, held.Number, (nint)bytes, names.Length));
    }

    /// <summary>Of what has a name, symbolic links and devices too; by way of /proc/self/fd, for want of a call that takes both.</summary>
    /// <inheritdoc cref="ListAttributes(FileDescriptor, Span{byte})"/>
    internal static nint ListAttributes(FileDescriptor directory, ReadOnlySpan<byte> name, Span<byte> names)
    {
        using var held = directory.Hold();
        byte[] path = PathOf(held.Number, name);
        fixed (byte* start = path, bytes = names) return NoneIfUnknown(Syscall.Invoke(SystemCall.llistxattr, (nint)start, (nint)bytes, names.Length));
    }

    /// <returns>How many bytes the value has, or -errno: ENODATA where there is none.</returns>
    internal static nint GetAttribute(FileDescriptor file, ReadOnlySpan<byte> attribute, Span<byte> value)
    {
        using var held = file.Hold();
        fixed (byte* name = attribute, bytes = value) return Syscall.Invoke(SystemCall.fgetxattr, held.Number, (nint)name, (nint)bytes, value.Length);
    }

    /// <inheritdoc cref="GetAttribute(FileDescriptor, ReadOnlySpan{byte}, Span{byte})"/>
    internal static nint GetAttribute(FileDescriptor directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute, Span<byte> value)
    {
        using var held = directory.Hold();
        byte[] path = PathOf(held.Number, name);
        fixed (byte* start = path, text = attribute, bytes = value) return Syscall.Invoke(SystemCall.lgetxattr, (nint)start, (nint)text, (nint)bytes, value.Length);
    }

    internal static nint SetAttribute(FileDescriptor file, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value)
    {
        using var held = file.Hold();
        fixed (byte* name = attribute, bytes = &MemoryMarshal.GetReference(value)) return Syscall.Invoke(SystemCall.fsetxattr, held.Number, (nint)name, (nint)bytes, value.Length, 0);
    }

    internal static nint SetAttribute(FileDescriptor directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value)
    {
        using var held = directory.Hold();
        byte[] path = PathOf(held.Number, name);
        fixed (byte* start = path, text = attribute, bytes = &MemoryMarshal.GetReference(value))
            return Syscall.Invoke(SystemCall.lsetxattr, (nint)start, (nint)text, (nint)bytes, value.Length, 0);
    }

    internal static nint RemoveAttribute(FileDescriptor directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute)
    {
        using var held = directory.Hold();
        byte[] path = PathOf(held.Number, name);
        fixed (byte* start = path, text = attribute) return Syscall.Invoke(SystemCall.lremovexattr, (nint)start, (nint)text);
    }

    private static nint NoneIfUnknown(nint result) => Syscall.Is(result, Errno.EOPNOTSUPP) ? 0 : result;

    private static byte[] PathOf(int directory, ReadOnlySpan<byte> name) => [.. System.Text.Encoding.UTF8.GetBytes($"/proc/self/fd/{directory}/"), .. name];
}
