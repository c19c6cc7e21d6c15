namespace Isolation.Linux;

/// <summary>Projects of files and the quotas of projects (ioctl_fs(2), quotactl(2)). Each call returns what the kernel returns.</summary>
internal static unsafe class QuotaCalls
{
    private const long BlockSize = 1024; // QIF_DQBLKSIZE: the unit of limits, whatever the file system's

    /// <summary>Whether the file system that a file is on keeps and enforces quotas of projects.</summary>
    internal static bool HasProjects(FileDescriptor file)
    {
        byte* info = stackalloc byte[64]; // struct if_dqinfo, which is smaller
        return !Syscall.IsError(Control(file, Abi.Q_GETINFO, 0, info));
    }

    internal static nint GetProject(FileDescriptor directory, out uint project, out bool isInherited)
    {
        fsxattr attributes = default;
        using var held = directory.Hold();
        nint result = Syscall.Invoke(SystemCall.ioctl, held.Number, unchecked((nint)Abi.FS_IOC_FSGETXATTR), (nint)(&attributes));
        project = attributes.fsx_projid;
        isInherited = (attributes.fsx_xflags & Abi.FS_XFLAG_PROJINHERIT) != 0;
        return result;
    }

    /// <summary>Puts a directory and all that will be made in it into a project.</summary>
    internal static nint SetProject(FileDescriptor directory, uint project)
    {
        fsxattr attributes = default;
        using var held = directory.Hold();
        nint result = Syscall.Invoke(SystemCall.ioctl, held.Number, unchecked((nint)Abi.FS_IOC_FSGETXATTR), (nint)(&attributes));
        if (Syscall.IsError(result)) return result;
        attributes.fsx_projid = project;
        attributes.fsx_xflags |= Abi.FS_XFLAG_PROJINHERIT;
        return Syscall.Invoke(SystemCall.ioctl, held.Number, (nint)Abi.FS_IOC_FSSETXATTR, (nint)(&attributes));
    }

    /// <param name="file">On the file system.</param>
    /// <param name="project">Which.</param>
    /// <param name="used">In bytes.</param>
    /// <param name="limit">In bytes; 0 is none.</param>
    internal static nint GetLimit(FileDescriptor file, uint project, out long used, out long limit)
    {
        if_dqblk quota = default;
        nint result = Control(file, Abi.Q_GETQUOTA, project, &quota);
        (used, limit) = ((long)quota.dqb_curspace, (long)quota.dqb_bhardlimit * BlockSize);
        return result;
    }

    /// <param name="file">On the file system.</param>
    /// <param name="project">Which.</param>
    /// <param name="bytes">Rounded up to KiB; 0 takes the limit away.</param>
    internal static nint SetLimit(FileDescriptor file, uint project, long bytes)
    {
        ulong blocks = (ulong)((bytes + BlockSize - 1) / BlockSize);
        if_dqblk quota = new() { dqb_bhardlimit = blocks, dqb_bsoftlimit = blocks, dqb_valid = Abi.QIF_LIMITS };
        return Control(file, Abi.Q_SETQUOTA, project, &quota);
    }

    // By descriptor from Linux 5.14 on; before, by the device that the file system is on.
    private static nint Control(FileDescriptor file, uint command, uint project, void* data)
    {
        nint operation = (nint)((command << 8) | Abi.PRJQUOTA);
        using var held = file.Hold();
        nint result = Syscall.Invoke(SystemCall.quotactl_fd, held.Number, operation, (nint)project, (nint)data);
        if (!Syscall.Is(result, Errno.ENOSYS)) return result;
        (uint major, uint minor) = FileStatus.Of(file).Device;
        if (MountEntry.SourceOf(File.ReadAllText("/proc/self/mountinfo"), major, minor) is not { } device) return -(int)Errno.ENODEV;
        using NativePath path = new(device);
        fixed (byte* special = path) return Syscall.Invoke(SystemCall.quotactl, operation, (nint)special, (nint)project, (nint)data);
    }
}
