using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>The steps of the walk. Each returns <see cref="GoOn"/>, a descriptor that ends it, or -errno.</summary>
internal sealed unsafe partial class PathWalk
{
    private const int MaxLinks = 40; // MAXSYMLINKS, include/linux/namei.h
    private const int ProcRootInode = 1; // PROC_ROOT_INO, include/linux/proc_ns.h
    private static readonly int Look = Abi.O_PATH | Abi.O_CLOEXEC | TargetAbi.Current.O_NOFOLLOW;

    /// <summary>Back to where we came from; at the root, nowhere.</summary>
    private nint Up()
    {
        if (_parents.Count == 0) return GoOn;
        // The directory before may have lost this one to a rename. We would not get lost, but the answer would be that
        // of a tree which never existed.
        nint error = FileStatus.TryGet(Current, ".."u8, out var above);
        if (Syscall.IsError(error)) return error;
        error = FileStatus.TryGet(_parents.Count == 1 ? _root : _parents[^2].Number, ""u8, out var before);
        if (Syscall.IsError(error)) return error;
        if (!above.IsSameFile(before)) return -(int)Errno.EAGAIN;
        LeaveTo(_parents.Count - 1);
        return GoOn;
    }

    /// <summary>Into a directory, or into what a link stands for.</summary>
    private nint Down(ReadOnlySpan<byte> name, uint? createMode)
    {
        nint found = OpenAt(name, Look, 0);
        if (createMode is { } mode && Syscall.Is(found, Errno.ENOENT))
        {
            // EEXIST: somebody else was quicker. Whatever it is that is there now, it is looked at as anything else.
            nint made = MakeDirectory(name, mode);
            if (Syscall.IsError(made) && !Syscall.Is(made, Errno.EEXIST)) return made;
            found = OpenAt(name, Look, 0);
        }
        if (Syscall.IsError(found)) return found;
        var file = new FileDescriptor((int)found);
        nint error = FileStatus.TryGet(file.Number, ""u8, out var status);
        if (!Syscall.IsError(error) && status.Type == FileType.Directory)
        {
            _parents.Add(file);
            return GoOn;
        }
        using (file)
        {
            if (Syscall.IsError(error)) return error;
            return status.Type == FileType.SymbolicLink ? Expand(file.Number) : -(int)Errno.ENOTDIR;
        }
    }

    /// <summary>The last component: opened for use, unless it is a link to be followed.</summary>
    private nint Last(ReadOnlySpan<byte> name, int flags, uint mode, bool slash)
    {
        const int Exclusive = Abi.O_CREAT | Abi.O_EXCL;
        bool create = (flags & Abi.O_CREAT) != 0;
        if (slash)
        {
            if (create) return -(int)Errno.EISDIR;
            flags = (flags | TargetAbi.Current.O_DIRECTORY) & ~TargetAbi.Current.O_NOFOLLOW;
        }
        bool follow = (flags & TargetAbi.Current.O_NOFOLLOW) == 0;
        // Whatever was seen, the name may mean something else the next moment: a link is never followed by the kernel.
        int safeFlags = flags | TargetAbi.Current.O_NOFOLLOW;
        if ((flags & Exclusive) == Exclusive) return OpenAt(name, safeFlags, mode);

        nint found = OpenAt(name, Look, 0);
        if (Syscall.Is(found, Errno.ENOENT) && create) return Settled(OpenAt(name, safeFlags, mode), expectDirectory: false);
        if (Syscall.IsError(found)) return found;
        using var file = new FileDescriptor((int)found);
        nint error = FileStatus.TryGet(file.Number, ""u8, out var status);
        if (Syscall.IsError(error)) return error;

        bool wantsDirectory = (flags & TargetAbi.Current.O_DIRECTORY) != 0;
        if (status.Type == FileType.SymbolicLink)
        {
            if (follow) return Expand(file.Number);
            if (wantsDirectory) return -(int)Errno.ENOTDIR;
            return (flags & Abi.O_PATH) != 0 ? Syscall.fcntl(file.Number, Abi.F_DUPFD_CLOEXEC) : -(int)Errno.ELOOP;
        }
        if (wantsDirectory && status.Type != FileType.Directory) return -(int)Errno.ENOTDIR;
        if ((flags & Abi.O_PATH) != 0) return Syscall.fcntl(file.Number, Abi.F_DUPFD_CLOEXEC);
        return Settled(OpenAt(name, safeFlags, mode), expectDirectory: wantsDirectory);
    }

    /// <summary>What was no link when we looked, and is one now, has been swapped under us: walk again.</summary>
    private static nint Settled(nint result, bool expectDirectory) =>
        Syscall.Is(result, Errno.ELOOP) || (expectDirectory && Syscall.Is(result, Errno.ENOTDIR)) ? -(int)Errno.EAGAIN : result;

    /// <summary>Puts what a link says in front of what remains; an absolute link starts from the root again, ours.</summary>
    private nint Expand(int link)
    {
        if (++_links > MaxLinks) return -(int)Errno.ELOOP;
        var refused = Forbidden(link);
        if (refused != Errno.None) return -(int)refused;
        Span<byte> text = stackalloc byte[Abi.PATH_MAX];
        nint length;
        // An empty name, not a null one: "fixed" over an empty span would give the latter.
        fixed (byte* buffer = text, empty = &MemoryMarshal.GetReference(""u8)) length = Syscall.readlinkat(link, empty, buffer, (nuint)text.Length);
        if (Syscall.IsError(length)) return length;
        if (length == 0) return -(int)Errno.ENOENT;
        text = text[..(int)length];
        if (text[0] == '/') LeaveTo(0);
        _path = [.. text, .. _path.AsSpan(_position)];
        _position = 0;
        return GoOn;
    }

    /// <summary>
    /// ELOOP for what <c>openat2</c> would not follow either: links of a mount with nosymfollow, and magic links, which do
    /// not lead where they say (/proc/1/root). Those live in procfs, everywhere but directly in its root, where the links
    /// (self, mounts) are ordinary ones.
    /// </summary>
    private Errno Forbidden(int link)
    {
        statfs system;
        nint error = Syscall.InvokeRetrying(SystemCall.fstatfs, link, (nint)(&system));
        if (Syscall.IsError(error)) return Syscall.ErrnoOf(error);
        if ((system.f_flags & Abi.ST_NOSYMFOLLOW) != 0) return Errno.ELOOP;
        if (system.f_type != Abi.PROC_SUPER_MAGIC) return Errno.None;
        error = FileStatus.TryGet(Current, ""u8, out var parent);
        if (Syscall.IsError(error)) return Syscall.ErrnoOf(error);
        return parent.Inode == ProcRootInode ? Errno.None : Errno.ELOOP;
    }

    private nint OpenAt(ReadOnlySpan<byte> name, int flags, uint mode)
    {
        if (name.Length > Abi.NAME_MAX) return -(int)Errno.ENAMETOOLONG;
        fixed (byte* bytes = Ended(name)) return Syscall.openat(Current, bytes, flags, mode);
    }

    private nint MakeDirectory(ReadOnlySpan<byte> name, uint mode)
    {
        if (name.Length > Abi.NAME_MAX) return -(int)Errno.ENAMETOOLONG;
        fixed (byte* bytes = Ended(name)) return Syscall.mkdirat(Current, bytes, mode);
    }

    private byte[] Ended(ReadOnlySpan<byte> name)
    {
        name.CopyTo(_name);
        _name[name.Length] = 0;
        return _name;
    }
}
