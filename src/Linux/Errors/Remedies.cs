namespace Isolation.Linux;

/// <summary>What is known to help, by operation and errno. One row a fact; the first that matches is told.</summary>
internal static class Remedies
{
    internal static string? For(string operation, Errno errno) => (operation, errno) switch
    {
        ("clone" or "clone3" or "unshare", Errno.ENOSPC or Errno.EUSERS) =>
            "A limit on namespaces is reached (the number of one kind, or 32 levels of nesting): raise the sysctls user.max_*_namespaces, and look for namespaces that nobody removed.",
        ("clone" or "clone3", Errno.EAGAIN) =>
            "No further process is allowed: see RLIMIT_NPROC (ulimit -u), the pids.max of this process's control group, and the sysctl kernel.pid_max.",
        ("unshare", Errno.EAGAIN) => "No further process is allowed for this user: see RLIMIT_NPROC (ulimit -u).",
        ("clone" or "clone3" or "unshare", Errno.EPERM) =>
            "Creating the namespace is forbidden: as an unprivileged user this needs user namespaces (sysctls kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0, user.max_user_namespaces above 0); inside a container, its seccomp filter must allow it; in a chroot it is never allowed.",
        ("clone3", Errno.ENOSYS) => "The kernel is older than 5.3, or the seccomp filter of a surrounding container hides the call.",
        ("unshare", Errno.EINVAL) => "CLONE_NEWUSER needs a process of a single thread, which a .NET process never is.",
        ("setns", Errno.EINVAL) => "The descriptor is not of the kind asked for, or a process of several threads tried to enter a user namespace or a time namespace.",

        ("openat2" or "mount_setattr" or "pidfd_open" or "pidfd_send_signal" or "close_range" or "landlock_create_ruleset", Errno.ENOSYS) =>
            "The kernel is too old, or the seccomp filter of a surrounding container hides the call.",
        ("landlock_create_ruleset", Errno.EOPNOTSUPP) => "Landlock is not on: name landlock in lsm= of the kernel's command line, or say LandlockPolicy.BestEffort.",
        ("landlock_create_ruleset", Errno.EINVAL) => "This kernel's Landlock is older than what is asked of it: say LandlockPolicy.BestEffort for as much as it has.",
        ("openat2", Errno.EXDEV) => "The path leads out of its root directory, or across a mount point that it must not cross.",
        ("openat2", Errno.EAGAIN) => "Directories on the way were being renamed all the time; try again when nothing changes them.",

        ("memfd_create", Errno.EACCES) => "Executable memory files are forbidden: the sysctl vm.memfd_noexec is 2.",
        ("epoll_ctl", Errno.EPERM) => "This kind of file is always ready, so it cannot be waited for: regular files and directories are read and written directly.",
        ("epoll_ctl", Errno.EEXIST) => "The descriptor is registered already: use the registration there is, or register a duplicate of the descriptor.",
        ("epoll_ctl", Errno.ENOSPC) => "The limit of waits is reached: raise the sysctl fs.epoll.max_user_watches.",
        ("inotify_init1", Errno.EMFILE) => "Raise the sysctl fs.inotify.max_user_instances, or RLIMIT_NOFILE.",
        ("inotify_add_watch", Errno.ENOSPC) => "Raise the sysctl fs.inotify.max_user_watches.",

        (_, Errno.EMFILE) => "This process has no descriptor left: raise RLIMIT_NOFILE (ulimit -n), or dispose what is no longer needed.",
        (_, Errno.ENFILE) => "The machine has no open file left: raise the sysctl fs.file-max.",
        _ => null,
    };
}
