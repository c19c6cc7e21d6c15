namespace Isolation.Linux;

/// <summary>
/// File systems whose files are views of the kernel: procfs, sysfs, control groups and the like. To read one may never
/// end or take something away, and to write one changes the machine with the rights of who writes: a link in a container
/// that leads to /proc/sys/kernel/core_pattern would make its owner's write a way out.
/// </summary>
internal static unsafe class KernelFileSystem
{
    /// <summary>The magic number of the file system that a file lies on (statfs(2)).</summary>
    /// <exception cref="LinuxException">It cannot be told.</exception>
    internal static long TypeOf(FileDescriptor file)
    {
        using var held = file.Hold();
        statfs system;
        Syscall.Check(Syscall.InvokeRetrying(SystemCall.fstatfs, held.Number, (nint)(&system)), "fstatfs", $"{held.Number}");
        return (long)system.f_type;
    }

    /// <returns>1 where the file lies on one, 0 where it does not, or -errno.</returns>
    internal static nint Holds(FileDescriptor file)
    {
        using var held = file.Hold();
        statfs system;
        nint result = Syscall.InvokeRetrying(SystemCall.fstatfs, held.Number, (nint)(&system));
        if (Syscall.IsError(result)) return result;
        return system.f_type is Abi.PROC_SUPER_MAGIC or Abi.SYSFS_MAGIC or Abi.CGROUP_SUPER_MAGIC or Abi.CGROUP2_SUPER_MAGIC
            or Abi.DEBUGFS_MAGIC or Abi.TRACEFS_MAGIC or Abi.SECURITYFS_MAGIC or Abi.SELINUX_MAGIC or Abi.SMACK_MAGIC or Abi.BPF_FS_MAGIC
            or Abi.EFIVARFS_MAGIC or Abi.BINFMTFS_MAGIC or Abi.PSTOREFS_MAGIC or Abi.NSFS_MAGIC or Abi.MQUEUE_MAGIC or Abi.CONFIGFS_MAGIC
            or Abi.FUSECTL_SUPER_MAGIC ? 1 : 0;
    }
}
