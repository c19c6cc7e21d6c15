using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>Turns the kernel's answer into the exception that a user understands.</summary>
internal static class GroupFailures
{
    private const string Delegation = "as root it always may; without, run inside a delegated group (systemd-run --user --scope -p Delegate=yes …), let systemd make one (CgroupDriver.Systemd; CgroupSystem.SystemdAbsence says what keeps it from it), or have root chown a group's directory, cgroup.procs and cgroup.subtree_control to this user";

    /// <param name="cause">What the kernel said.</param>
    /// <param name="what">Operation and object, such as "make the control group '/x'".</param>
    internal static CgroupException Of(LinuxException cause, string what) => cause.Errno switch
    {
        Errno.EACCES or Errno.EPERM => new(CgroupErrorReason.NotPermitted, $"Cannot {what}", cause, Delegation),
        Errno.EROFS => new(CgroupErrorReason.NotPermitted, $"Cannot {what}", cause, "the control groups are mounted read-only, as in most containers: give the outer container writable ones (docker run --cgroupns=private --privileged), or do without limits"),
        Errno.ENOENT or Errno.ENODEV => new(CgroupErrorReason.Gone, $"Cannot {what}", cause, "somebody has removed the group"),
        Errno.EBUSY => new(CgroupErrorReason.Busy, $"Cannot {what}", cause),
        Errno.EOPNOTSUPP => new(CgroupErrorReason.NotSupported, $"Cannot {what}", cause, "a threaded group takes threads and no processes: choose another parent"),
        Errno.EAGAIN => new(CgroupErrorReason.Failed, $"Cannot {what}", cause, "the limit cgroup.max.descendants or cgroup.max.depth of a group above is reached"),
        _ => new(CgroupErrorReason.Failed, $"Cannot {what}", cause),
    };

    /// <summary>A limit that was not taken.</summary>
    internal static CgroupException OfWrite(LinuxException cause, LimitWrite write, string path)
    {
        string what = $"{write.Purpose}: '{write.Value}' to {path}/{write.File}";
        return cause.Errno switch
        {
            Errno.ENOENT when Directory.Exists(path) => new(CgroupErrorReason.NotSupported, $"Cannot {what}", cause, $"this kernel has no {write.File}"),
            Errno.EBUSY when write.File.StartsWith("memory.", StringComparison.Ordinal) => new(CgroupErrorReason.InvalidValue, $"Cannot {what}", cause, "the group uses more than that already and it cannot be reclaimed: choose a higher limit"),
            Errno.EINVAL when write.File == MemoryV1.Limit => new(CgroupErrorReason.InvalidValue, $"Cannot {what}", cause, "memory alone cannot be more than memory and swap together: give MemoryAndSwap as well"),
            Errno.EINVAL when write.File == MemoryV1.LimitWithSwap => new(CgroupErrorReason.InvalidValue, $"Cannot {what}", cause, "memory and swap together cannot be less than memory alone"),
            Errno.EINVAL when write.File is CpuV1.Quota or CpuV1.PeriodFile => new(CgroupErrorReason.InvalidValue, $"Cannot {what}", cause, "a group above allows less"),
            Errno.EINVAL or Errno.ERANGE or Errno.EOVERFLOW => new(CgroupErrorReason.InvalidValue, $"Cannot {what}", cause, "the kernel takes no such value here"),
            Errno.EACCES when write.Controller == CgroupController.Cpuset => new(CgroupErrorReason.InvalidValue, $"Cannot {what}", cause, "the parent group, or the machine, has no such processor or memory node"),
            Errno.ENOSPC when write.Controller == CgroupController.Cpuset => new(CgroupErrorReason.InvalidValue, $"Cannot {what}", cause, "a group with processes needs a processor and a memory node"),
            Errno.ENODEV or Errno.ENXIO when write.Controller is CgroupController.Io or CgroupController.Rdma => new(CgroupErrorReason.InvalidValue, $"Cannot {what}", cause, "there is no such device, or it is a partition: see lsblk for MAJ:MIN of whole disks"),
            Errno.ENODEV when write.Controller == CgroupController.NetPriority => new(CgroupErrorReason.InvalidValue, $"Cannot {what}", cause, "there is no such network interface in the network namespace of this program"),
            _ => Of(cause, what),
        };
    }
}
