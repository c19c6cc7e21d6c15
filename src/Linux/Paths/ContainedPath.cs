namespace Isolation.Linux;

/// <summary>
/// Paths inside a root directory that somebody else fills: a container's file system, an unpacked image. However its
/// symbolic links, <c>..</c> and renamings are made, nothing outside the root is reached: an absolute link starts at the
/// root, <c>..</c> stops there, and magic links (/proc/1/root) are refused with ELOOP. It is the kernel's view of a
/// process that is chrooted there.
/// </summary>
/// <remarks>
/// The root is a descriptor, O_PATH will do. Paths are relative to it, a leading slash changes nothing. Safe from any
/// thread. Mounts below the root are entered.
/// </remarks>
internal static partial class ContainedPath
{
    private const int StackBytes = 512;

    /// <summary>As <c>openat</c>, inside the root; O_CLOEXEC is added. O_NOFOLLOW concerns the last component, as ever.</summary>
    /// <param name="root">A directory.</param>
    /// <param name="path">In the root.</param>
    /// <param name="flags">As for <c>openat2</c>, which refuses flags that make no sense.</param>
    /// <param name="mode">Only beside O_CREAT; the process's umask is taken off.</param>
    /// <param name="resolver">To force one.</param>
    /// <exception cref="LinuxException">The file cannot be opened; EAGAIN where directories on the way were being moved all the time.</exception>
    /// <exception cref="ArgumentException">The path contains a NUL.</exception>
    internal static FileDescriptor Open(FileDescriptor root, string path, int flags, uint mode = 0, PathResolver resolver = PathResolver.Automatic)
    {
        nint result = TryOpen(root, path, flags, mode, resolver);
        return new FileDescriptor((int)Syscall.Check(result, Operation(resolver), $"{root.DangerousGetHandle()}, \"{path}\", {OpenFlags.Format(flags)}"));
    }

    /// <summary>As <see cref="Open"/>, for those to whom an errno is an answer.</summary>
    /// <returns>A descriptor, which is the caller's to close, or -errno.</returns>
    internal static nint TryOpen(FileDescriptor root, string path, int flags, uint mode = 0, PathResolver resolver = PathResolver.Automatic)
    {
        using var held = root.Hold();
        using var name = new NativePath(path, stackalloc byte[StackBytes]);
        if (resolver == PathResolver.Walk || (resolver == PathResolver.Automatic && !OpenAt2Resolver.Works))
            return PathWalk.TryOpen(held.Number, name.Bytes, flags, mode);
        nint result = OpenAt2Resolver.TryOpen(held.Number, name.Bytes, flags, mode);
        // EAGAIN: the machine renames more than the kernel has patience for; the walk minds only what concerns it.
        return resolver == PathResolver.Automatic && Syscall.Is(result, Errno.EAGAIN)
            ? PathWalk.TryOpen(held.Number, name.Bytes, flags, mode)
            : result;
    }

    /// <summary>
    /// Creates a directory and those above it that are missing; a link that leads to nowhere gets its target, inside the
    /// root. What is there already stays as it is.
    /// </summary>
    /// <param name="root">A directory.</param>
    /// <param name="path">In the root.</param>
    /// <param name="mode">Of each directory created; the process's umask is taken off.</param>
    /// <returns>The last directory, as an O_PATH descriptor.</returns>
    /// <exception cref="LinuxException">ENOTDIR where something else is in the way; or a directory cannot be created.</exception>
    internal static FileDescriptor CreateDirectories(FileDescriptor root, string path, uint mode = 0x1ED /* 0755 */)
    {
        using var held = root.Hold();
        using var name = new NativePath(path, stackalloc byte[StackBytes]);
        nint result = PathWalk.TryCreateDirectories(held.Number, name.Bytes, mode);
        return new FileDescriptor((int)Syscall.Check(result, "mkdirat", $"{held.Number}, \"{path}\" and parents"));
    }

    /// <summary>Whether there is a file of whatever kind, where links lead. False when a link leads to nowhere.</summary>
    /// <exception cref="LinuxException">It cannot be told (EACCES, ELOOP).</exception>
    internal static bool Exists(FileDescriptor root, string path, PathResolver resolver = PathResolver.Automatic)
    {
        nint result = TryOpen(root, path, Abi.O_PATH, 0, resolver);
        if (Syscall.Is(result, Errno.ENOENT) || Syscall.Is(result, Errno.ENOTDIR)) return false;
        using var file = new FileDescriptor((int)Syscall.Check(result, Operation(resolver), $"{root.DangerousGetHandle()}, \"{path}\", O_PATH"));
        return true;
    }

    /// <summary>What the file is. It is not opened for use, so a device does nothing.</summary>
    /// <param name="root">A directory.</param>
    /// <param name="path">In the root.</param>
    /// <param name="follow">Whether a link as last component is followed.</param>
    /// <param name="resolver">To force one.</param>
    /// <exception cref="LinuxException">There is no such file, or it cannot be reached.</exception>
    internal static FileStatus Stat(FileDescriptor root, string path, bool follow = true, PathResolver resolver = PathResolver.Automatic)
    {
        int flags = follow ? Abi.O_PATH : Abi.O_PATH | TargetAbi.Current.O_NOFOLLOW;
        using var file = Open(root, path, flags, 0, resolver);
        return FileStatus.Of(file);
    }

    private static string Operation(PathResolver resolver) =>
        resolver == PathResolver.Walk || (resolver == PathResolver.Automatic && !OpenAt2Resolver.Works) ? "openat" : "openat2";
}
