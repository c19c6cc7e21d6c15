using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>What the kernel's answers about programs of devices mean.</summary>
internal static class DeviceFilterFailure
{
    private const string Permission =
        "programs of control groups need CAP_BPF and CAP_NET_ADMIN of the first user namespace, and listing them CAP_SYS_ADMIN (all of them CAP_SYS_ADMIN before Linux 5.8); "
        + "the root of a user namespace never has them. Without them leave the rules about devices out: who may not mknod opens only the devices that are put into the container's /dev";

    private const string Attachment =
        Permission + ". With them, a parent group has a program attached without BPF_F_ALLOW_MULTI, beneath which there can be no other";

    private const string Kernel = "the kernel needs CONFIG_BPF_SYSCALL and CONFIG_CGROUP_BPF; before control groups v2, use the v1 controller \"devices\"";

    /// <param name="path">The group.</param>
    /// <param name="result">-errno.</param>
    /// <param name="length">Of the program, in bytes.</param>
    /// <param name="log">The verifier's; empty where it did not come to that.</param>
    internal static CgroupException OfLoading(string path, nint result, int length, string log)
    {
        LinuxException cause = Syscall.Failure(result, "bpf", $"BPF_PROG_LOAD, BPF_PROG_TYPE_CGROUP_DEVICE, {length / 8} instructions");
        if (log.Length > 0) return new(CgroupErrorReason.Failed, $"The kernel's verifier refuses the program about devices of \"{path}\", saying \"{log}\"", cause);
        string message = $"Cannot load the program about devices of \"{path}\"";
        return cause.Errno switch
        {
            // Before Linux 5.11 the program is counted under RLIMIT_MEMLOCK, and the answer to too much is EPERM, too.
            Errno.EPERM => new(CgroupErrorReason.NotPermitted, message, cause, Permission + ". Before Linux 5.11, RLIMIT_MEMLOCK (ulimit -l) can be too small, too"),
            Errno.ENOSYS or Errno.EINVAL => new(CgroupErrorReason.NotSupported, message, cause, Kernel),
            _ => new(CgroupErrorReason.Failed, message, cause),
        };
    }

    /// <param name="command">The kernel's name of it.</param>
    /// <param name="what">The same in words, up to the group.</param>
    /// <param name="path">The group.</param>
    /// <param name="result">-errno.</param>
    internal static CgroupException Of(string command, string what, string path, nint result)
    {
        LinuxException cause = Syscall.Failure(result, "bpf", $"{command}, BPF_CGROUP_DEVICE, \"{path}\"");
        string message = $"Cannot {what} \"{path}\"";
        return cause.Errno switch
        {
            Errno.EPERM or Errno.EACCES => new(CgroupErrorReason.NotPermitted, message, cause, Attachment),
            Errno.ENOSYS or Errno.EINVAL => new(CgroupErrorReason.NotSupported, message, cause, Kernel),
            Errno.EBADF => new(CgroupErrorReason.NotSupported, message, cause, "only a directory of a v2 hierarchy can have a program"),
            Errno.ENODEV or Errno.ENOENT => new(CgroupErrorReason.Gone, message, cause),
            Errno.E2BIG => new(CgroupErrorReason.Failed, message, cause, "64 programs are attached to the group already"),
            _ => new(CgroupErrorReason.Failed, message, cause),
        };
    }
}
