using System.Collections.Immutable;
using Isolation.Linux;
using static Isolation.SeccompCondition;

namespace Isolation;

public sealed partial record SeccompPolicy
{
    private const ulong NewNamespaces = 0x7e020000; // CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET: clone(2)
    private const ulong Alg = 38, Vsock = 40; // address_families(7): AF_ALG, AF_VSOCK

    // What programs make as a rule, and what container runtimes have come to agree on. Not among them: loading of modules and kernels, keys (of whatever user
    // namespace), swap, accounting, user-space page faults, io_uring, and calls that nobody has made for decades.
    private const string Common = """
        _llseek _newselect accept accept4 access adjtimex alarm arch_prctl bind brk cachestat capget capset chdir chmod chown chown32 clock_adjtime
        clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range connect
        copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd
        eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown
        fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync
        ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu getcwd
        getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid getppid
        getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid
        getuid32 getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents
        io_pgetevents_time64 io_setup io_submit ioctl ioprio_get ioprio_set ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown
        lchown32 lgetxattr link linkat listen listmount listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat lstat64 madvise map_shadow_stack
        membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 modify_ldt mprotect mq_getsetattr mq_notify
        mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock
        munlockall munmap name_to_handle_at nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free
        pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease process_vm_readv process_vm_writev pselect6
        pselect6_time64 ptrace pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages
        removexattr removexattrat rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
        rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
        sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler
        sched_yield seccomp select semctl semget semop semtimedop semtimedop_time64 sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list
        set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid setpriority setregid
        setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr setxattrat shmat
        shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs statfs64 statmount
        statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64
        timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64
        ugetrlimit umask uname unlink unlinkat uretprobe utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev
        """;

    /// <summary>
    /// What a container is given as a rule: some 380 system calls; more with the capabilities that they are for. What is not allowed fails with EPERM,
    /// what is newer than this library with ENOSYS. New namespaces, sockets of AF_ALG and AF_VSOCK and personalities that weaken address randomization are not
    /// allowed; clone3, whose flags a filter cannot see, fails with ENOSYS, so that programs use clone.
    /// </summary>
    public static SeccompPolicy Default { get; } = new()
    {
        DefaultAction = SeccompAction.Fail(Errno.EPERM),
        Rules =
        [
            new(Split(Common), SeccompAction.Allow),
            .. AllowIf("socket", new(0, SeccompComparison.Less, Alg), Equal(0, Alg + 1), new(0, SeccompComparison.Greater, Vsock)),
            .. AllowIf("personality", Equal(0, 0), Equal(0, 8), Equal(0, 0x20000), Equal(0, 0x20008), Equal(0, 0xffffffff)), // PER_LINUX, PER_LINUX32, UNAME26, and the question which it is
            For(Capability.SysAdmin, "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree open_tree_attr perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare"),
            new(["clone"], SeccompAction.Allow) { Conditions = [Masked(0, NewNamespaces, 0)] },
            new(["clone3"], SeccompAction.Fail(Errno.ENOSYS)),
            For(Capability.DacReadSearch, "open_by_handle_at"),
            For(Capability.SysBoot, "reboot"),
            For(Capability.SysChroot, "chroot"),
            For(Capability.SysModule, "delete_module init_module finit_module"),
            For(Capability.SysPacct, "acct"),
            For(Capability.SysPtrace, "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace"),
            For(Capability.SysRawio, "iopl ioperm"),
            For(Capability.SysTime, "settimeofday stime clock_settime clock_settime64"),
            For(Capability.SysTtyConfig, "vhangup"),
            For(Capability.SysNice, "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
            For(Capability.Syslog, "syslog"),
            For(Capability.Bpf, "bpf"),
            For(Capability.Perfmon, "perf_event_open"),
        ],
    };

    /// <summary>
    /// <see cref="Default"/> for programs that need no privileges, of this machine's own architecture: neither tracing nor other processes' memory, no asynchronous
    /// I/O (io_setup), file handles, device files, changes of clocks or local descriptor tables, and sockets of the internet, of unix(7) and of rtnetlink(7) alone.
    /// </summary>
    public static SeccompPolicy Strict { get; } = Default with
    {
        Architectures = TargetAbi.Current == TargetAbi.Arm64 ? [SeccompArchitecture.Arm64] : [SeccompArchitecture.X64],
        Rules =
        [
            new(Split("""
                acct adjtimex bpf chroot clock_adjtime clock_adjtime64 clock_settime clock_settime64 fanotify_init fanotify_mark io_cancel io_destroy io_getevents
                io_pgetevents io_pgetevents_time64 io_setup io_submit kcmp lookup_dcookie memfd_secret mknod mknodat modify_ldt name_to_handle_at open_by_handle_at
                perf_event_open pidfd_getfd pivot_root process_madvise process_vm_readv process_vm_writev ptrace quotactl quotactl_fd reboot remap_file_pages
                settimeofday stime syslog uretprobe vhangup vmsplice
                """), SeccompAction.Fail(Errno.EPERM)),
            .. AllowIf("socket", Equal(0, 1), Equal(0, 2), Equal(0, 10)), // AF_UNIX, AF_INET, AF_INET6
            new(["socket"], SeccompAction.Allow) { Conditions = [Equal(0, 16), Equal(2, 0)] }, // AF_NETLINK, NETLINK_ROUTE
            new(["socket"], SeccompAction.Fail(Errno.EPERM)),
            .. Default.Rules,
        ],
    };

    /// <summary>What containers in the container take besides: new namespaces, mounts, a root and names of their own, each of which takes a capability of its user namespace.</summary>
    internal static SeccompPolicy Nesting { get; } = Default with
    {
        Rules =
        [
            new(Split("chroot clone clone3 fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree open_tree_attr pivot_root setdomainname sethostname setns umount umount2 unshare"), SeccompAction.Allow),
            .. Default.Rules,
        ],
    };

    private static SeccompRule For(Capability capability, string systemCalls) => new(Split(systemCalls), SeccompAction.Allow) { WithCapabilities = [capability] };

    private static IEnumerable<SeccompRule> AllowIf(string systemCall, params SeccompCondition[] oneOf) => oneOf.Select(condition => new SeccompRule([systemCall], SeccompAction.Allow) { Conditions = [condition] });

    private static ImmutableArray<string> Split(string names) => [.. names.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries)];
}
