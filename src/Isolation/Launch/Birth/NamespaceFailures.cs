using System.Globalization;
using Isolation.Linux;

namespace Isolation.Launch;

/// <summary>Why the kernel would not make a process with namespaces of its own, and what to do about it.</summary>
internal static class NamespaceFailures
{
    internal static ContainerException Explain(nint result, ulong flags)
    {
        Errno errno = Syscall.ErrnoOf(result);
        bool user = (flags & Abi.CLONE_NEWUSER) != 0;
        (ContainerErrorReason reason, string what, string? remedy) = errno switch
        {
            Errno.EPERM or Errno.ENOSPC or Errno.EUSERS when user => (ContainerErrorReason.NamespaceForbidden, "make a user namespace", UserNamespaceRemedy(errno)),
            Errno.EPERM => (ContainerErrorReason.NamespaceForbidden, "make a namespace",
                "CAP_SYS_ADMIN is needed; leave the user namespace new (the default), or run as root"),
            Errno.ENOSPC or Errno.EUSERS => (ContainerErrorReason.ResourceLimit, "make a namespace",
                "a limit in /proc/sys/user/max_*_namespaces or the depth of nesting (32) is reached"),
            Errno.EAGAIN => (ContainerErrorReason.ResourceLimit, "make a process",
                "the limit of processes is reached: RLIMIT_NPROC, kernel.pid_max, or pids.max of the control group"),
            Errno.EINVAL => (ContainerErrorReason.NamespaceForbidden, "make a namespace", "the kernel was built without one of these namespaces"),
            _ => (ContainerErrorReason.LaunchFailed, "make a process", null),
        };
        return new ContainerException(reason, $"Cannot {what}", Syscall.Failure(result, "clone3", FlagNames(flags)), remedy);
    }

    internal static string UserNamespaceRemedy(Errno errno)
    {
        if (Read("/proc/sys/user/max_user_namespaces") == 0)
            return "user.max_user_namespaces is 0: set it higher (sysctl -w user.max_user_namespaces=10000)";
        if (Read("/proc/sys/kernel/unprivileged_userns_clone") == 0)
            return "kernel.unprivileged_userns_clone is 0: set it to 1, or run as root";
        if (Read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") is > 0)
            return "kernel.apparmor_restrict_unprivileged_userns is set: give the program an AppArmor profile with 'userns,' or set it to 0";
        if (errno is Errno.ENOSPC or Errno.EUSERS)
            return "user.max_user_namespaces is reached, or user namespaces are nested 32 deep";
        return "a seccomp filter or security module forbids it, or this process is in a chroot (user_namespaces(7)): allow clone3 and clone with CLONE_NEWUSER";
    }

    private static long? Read(string path)
    {
        try
        {
            return long.TryParse(File.ReadAllText(path), NumberStyles.Integer, CultureInfo.InvariantCulture, out long value) ? value : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string FlagNames(ulong flags)
    {
        List<string> names = [];
        for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++)
            if ((flags & NamespaceSteps.Flag(kind)) != 0) names.Add(NamespaceSteps.FlagName(kind));
        return names.Count == 0 ? "no namespaces" : string.Join('|', names);
    }
}
