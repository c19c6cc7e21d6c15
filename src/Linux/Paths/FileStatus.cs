using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>What a file is: the S_IFMT part of its mode.</summary>
internal enum FileType
{
    Unknown = 0,
    Fifo = Abi.S_IFIFO,
    CharacterDevice = Abi.S_IFCHR,
    Directory = Abi.S_IFDIR,
    BlockDevice = Abi.S_IFBLK,
    Regular = Abi.S_IFREG,
    SymbolicLink = Abi.S_IFLNK,
    Socket = Abi.S_IFSOCK,
}

/// <summary>What <c>statx</c> tells of a file. A value.</summary>
internal readonly record struct FileStatus
{
    private FileStatus(in statx status)
    {
        Type = (FileType)(status.stx_mode & Abi.S_IFMT);
        Mode = (uint)(status.stx_mode & ~Abi.S_IFMT);
        Uid = status.stx_uid;
        Gid = status.stx_gid;
        Size = (long)status.stx_size;
        Inode = status.stx_ino;
        Device = (status.stx_dev_major, status.stx_dev_minor);
        RawDevice = (status.stx_rdev_major, status.stx_rdev_minor);
        Links = status.stx_nlink;
        Modified = (status.stx_mtime.tv_sec, status.stx_mtime.tv_nsec);
        Changed = (status.stx_ctime.tv_sec, status.stx_ctime.tv_nsec);
        Blocks = (long)status.stx_blocks;
    }

    internal FileType Type { get; init; }

    /// <summary>Permission bits with set-uid, set-gid and sticky: 0 to 07777.</summary>
    internal uint Mode { get; init; }

    internal uint Uid { get; init; }

    internal uint Gid { get; init; }

    /// <summary>In bytes.</summary>
    internal long Size { get; }

    internal ulong Inode { get; }

    /// <summary>The file system it is on; together with <see cref="Inode"/> it tells files apart.</summary>
    internal (uint Major, uint Minor) Device { get; }

    /// <summary>Which device a device file is: (1, 3) is /dev/null.</summary>
    internal (uint Major, uint Minor) RawDevice { get; }

    /// <summary>How many names it has.</summary>
    internal uint Links { get; }

    /// <summary>When its content changed last, since 1970 in UTC.</summary>
    internal (long Seconds, uint Nanoseconds) Modified { get; }

    /// <summary>When anything of it changed last, its owner or mode too; nobody can set it.</summary>
    internal (long Seconds, uint Nanoseconds) Changed { get; }

    /// <summary>What it takes on disk, in units of 512 bytes; less than its size where it has holes.</summary>
    internal long Blocks { get; }

    internal bool IsSameFile(in FileStatus other) => Inode == other.Inode && Device == other.Device;

    /// <summary>Of an open file, O_PATH descriptors and those of symbolic links included.</summary>
    /// <exception cref="LinuxException">The file system refuses.</exception>
    internal static FileStatus Of(SafeHandle descriptor)
    {
        using var held = descriptor.Hold();
        Syscall.Check(TryGet(held.Number, ""u8, out var status), "statx", $"{held.Number}");
        return status;
    }

    /// <summary>Of a name in a directory, or with an empty name of the descriptor itself; a symbolic link is not followed.</summary>
    /// <param name="directory">A descriptor.</param>
    /// <param name="name">Must be ended by a NUL, as UTF-8 literals are.</param>
    /// <param name="status">Set on success.</param>
    /// <returns>0 or -errno.</returns>
    internal static unsafe nint TryGet(int directory, ReadOnlySpan<byte> name, out FileStatus status)
    {
        statx result = default;
        nint error;
        // Not libc's statx, which musl has only from 1.2.5 on.
        fixed (byte* bytes = &MemoryMarshal.GetReference(name))
        {
            error = Syscall.Invoke(
                SystemCall.statx, directory, (nint)bytes, Abi.AT_EMPTY_PATH | Abi.AT_SYMLINK_NOFOLLOW | Abi.AT_NO_AUTOMOUNT,
                (nint)Abi.STATX_BASIC_STATS, (nint)(&result));
        }
        status = new FileStatus(result);
        return error;
    }
}
