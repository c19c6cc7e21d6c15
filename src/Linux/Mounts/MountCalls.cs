namespace Isolation.Linux;

/// <summary>
/// The calls that make, change and attach mounts (open_tree(2), move_mount(2), mount_setattr(2), umount2(2)). None binds to
/// a thread. Each throws what the kernel answers.
/// </summary>
internal static unsafe class MountCalls
{
    /// <summary>A copy of the mount that a directory or file is in, with it as root: detached, gone with its last descriptor.</summary>
    /// <param name="file">In a mount of this thread's mount namespace.</param>
    /// <exception cref="LinuxException">EPERM without CAP_SYS_ADMIN; EINVAL where the mount is of another namespace, unbindable, or covers what was locked.</exception>
    /// <param name="recursive">With the mounts beneath it.</param>
    internal static FileDescriptor Clone(FileDescriptor file, bool recursive = false)
    {
        using var held = file.Hold();
        nint result;
        fixed (byte* empty = "\0"u8)
            result = Syscall.Invoke(SystemCall.open_tree, held.Number, (nint)empty, Abi.OPEN_TREE_CLONE | Abi.OPEN_TREE_CLOEXEC | Abi.AT_EMPTY_PATH | (recursive ? Abi.AT_RECURSIVE : 0));
        return new((int)Syscall.Check(result, "open_tree", $"{held.Number}, OPEN_TREE_CLONE"));
    }

    /// <summary>A clone, or for a mount that is detached already another descriptor of it: only a mount of this namespace can be cloned.</summary>
    internal static FileDescriptor CloneOrSame(FileDescriptor file)
    {
        try
        {
            return Clone(file);
        }
        catch (LinuxException exception) when (exception.Errno == Errno.EINVAL)
        {
            return Descriptors.Duplicate(file);
        }
    }

    /// <summary>The same of what lies at a path of this thread's own.</summary>
    internal static FileDescriptor Clone(string path)
    {
        using NativePath name = new(path);
        fixed (byte* start = name)
        {
            nint result = Syscall.Invoke(SystemCall.open_tree, Abi.AT_FDCWD, (nint)start, Abi.OPEN_TREE_CLONE | Abi.OPEN_TREE_CLOEXEC | Abi.AT_SYMLINK_NOFOLLOW);
            return new((int)Syscall.Check(result, "open_tree", $"\"{path}\", OPEN_TREE_CLONE"));
        }
    }

    /// <summary>Attaches a detached mount to a directory or file. The descriptor goes on standing for its root.</summary>
    /// <param name="mount">From <see cref="Clone(FileDescriptor, bool)"/> or a <see cref="MountContext"/>.</param>
    /// <param name="target">Where, by what it is and no name.</param>
    internal static void Attach(FileDescriptor mount, FileDescriptor target)
    {
        using var from = mount.Hold();
        using var to = target.Hold();
        nint result;
        fixed (byte* empty = "\0"u8)
            result = Syscall.Invoke(SystemCall.move_mount, from.Number, (nint)empty, to.Number, (nint)empty, Abi.MOVE_MOUNT_F_EMPTY_PATH | Abi.MOVE_MOUNT_T_EMPTY_PATH);
        Syscall.Check(result, "move_mount", $"{from.Number}, {to.Number}");
    }

    /// <summary>Sets attributes of one mount (mount_setattr(2), Linux 5.12).</summary>
    /// <param name="mount">Its root.</param>
    /// <param name="set">MOUNT_ATTR_*.</param>
    /// <param name="userNamespace">Whose identity map it gets, with MOUNT_ATTR_IDMAP; only once, and only while it is detached.</param>
    /// <param name="recursive">Those beneath it as well.</param>
    internal static void SetAttributes(FileDescriptor mount, ulong set, FileDescriptor? userNamespace = null, bool recursive = false)
    {
        using var held = mount.Hold();
        using var map = (userNamespace ?? mount).Hold();
        mount_attr attributes = new() { attr_set = set, userns_fd = userNamespace is null ? 0 : (ulong)map.Number };
        nint result;
        fixed (byte* empty = "\0"u8)
            result = Syscall.Invoke(SystemCall.mount_setattr, held.Number, (nint)empty, Abi.AT_EMPTY_PATH | (recursive ? Abi.AT_RECURSIVE : 0), (nint)(&attributes), sizeof(mount_attr));
        Syscall.Check(result, "mount_setattr", $"{held.Number}, {set:x}");
    }

    /// <summary>Whether there is mount_setattr(2): Linux 5.12, unless a filter hides it. Asked with nothing to set.</summary>
    internal static bool HasSetAttributes() => !Syscall.Is(Syscall.Invoke(SystemCall.mount_setattr, -1), Errno.ENOSYS);

    /// <summary>Takes an attached mount out of the tree, busy or not: who is in it keeps it until then (MNT_DETACH).</summary>
    /// <param name="mount">Its root: this mount and no other that may lie at its path by now.</param>
    /// <returns>0 or -errno; EINVAL where it is not attached.</returns>
    internal static nint Detach(FileDescriptor mount)
    {
        using var held = mount.Hold();
        using NativePath path = new($"/proc/self/fd/{held.Number}");
        fixed (byte* start = path) return Syscall.Invoke(SystemCall.umount2, (nint)start, Abi.MNT_DETACH);
    }

    /// <summary>mount(2). The data is at most a page, its NUL included.</summary>
    /// <returns>0 or -errno.</returns>
    internal static nint Mount(string source, string target, string type, ulong flags, string data)
    {
        using NativePath from = new(source), to = new(target), name = new(type), options = new(data);
        fixed (byte* source_ = from, target_ = to, type_ = name, data_ = options)
            return Syscall.Invoke(SystemCall.mount, (nint)source_, (nint)target_, (nint)type_, (nint)flags, (nint)data_);
    }
}
