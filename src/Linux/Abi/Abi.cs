namespace Isolation.Linux;

/// <summary>
/// Constants of the kernel's interface under their own names, the same on x86-64 and arm64 (what differs is in
/// <see cref="TargetAbi"/>). A test compiles C against the headers of both architectures and compares every one.
/// </summary>
internal static partial class Abi
{
    // fcntl.h
    internal const int AT_FDCWD = -100;
    internal const int AT_EMPTY_PATH = 0x1000;
    internal const int AT_SYMLINK_NOFOLLOW = 0x100;
    internal const int AT_REMOVEDIR = 0x200;
    internal const int AT_EACCESS = 0x200;
    internal const int AT_RECURSIVE = 0x8000;
    internal const int O_RDONLY = 0;
    internal const int O_WRONLY = 1;
    internal const int O_RDWR = 2;
    internal const int O_CREAT = 0x40;
    internal const int O_EXCL = 0x80;
    internal const int O_NOCTTY = 0x100;
    internal const int O_TRUNC = 0x200;
    internal const int O_APPEND = 0x400;
    internal const int O_NONBLOCK = 0x800;
    internal const int O_CLOEXEC = 0x80000;
    internal const int O_PATH = 0x200000;
    internal const int F_DUPFD_CLOEXEC = 1030;
    internal const int F_GETFD = 1;
    internal const int F_SETFD = 2;
    internal const int F_GETFL = 3;
    internal const int F_SETFL = 4;
    internal const int F_ADD_SEALS = 1033;
    internal const int F_SETPIPE_SZ = 1031;
    internal const int FD_CLOEXEC = 1;
    internal const int F_SEAL_SEAL = 1;
    internal const int F_SEAL_SHRINK = 2;
    internal const int F_SEAL_GROW = 4;
    internal const int F_SEAL_WRITE = 8;
    internal const int R_OK = 4;
    internal const int W_OK = 2;
    internal const int X_OK = 1;
    internal const int F_OK = 0;

    // sys/stat.h
    internal const int S_IFMT = 0xF000;
    internal const int S_IFDIR = 0x4000;
    internal const int S_IFCHR = 0x2000;
    internal const int S_IFBLK = 0x6000;
    internal const int S_IFREG = 0x8000;
    internal const int S_IFLNK = 0xA000;
    internal const int S_IFIFO = 0x1000;
    internal const int S_IFSOCK = 0xC000;

    // linux/openat2.h
    internal const ulong RESOLVE_NO_XDEV = 1;
    internal const ulong RESOLVE_NO_MAGICLINKS = 2;
    internal const ulong RESOLVE_NO_SYMLINKS = 4;
    internal const ulong RESOLVE_BENEATH = 8;
    internal const ulong RESOLVE_IN_ROOT = 0x10;

    // linux/memfd.h
    internal const uint MFD_CLOEXEC = 1;
    internal const uint MFD_ALLOW_SEALING = 2;
    internal const uint MFD_NOEXEC_SEAL = 8; // Linux 6.3
    internal const uint MFD_EXEC = 0x10; // Linux 6.3

    // linux/close_range.h
    internal const uint CLOSE_RANGE_CLOEXEC = 4; // Linux 5.11

    // linux/sched.h
    internal const ulong CLONE_VM = 0x100;
    internal const ulong CLONE_PIDFD = 0x1000;
    internal const ulong CLONE_VFORK = 0x4000;
    internal const ulong CLONE_PARENT = 0x8000;
    internal const ulong CLONE_NEWNS = 0x20000;
    internal const ulong CLONE_NEWCGROUP = 0x2000000;
    internal const ulong CLONE_NEWUTS = 0x4000000;
    internal const ulong CLONE_NEWIPC = 0x8000000;
    internal const ulong CLONE_NEWUSER = 0x10000000;
    internal const ulong CLONE_NEWPID = 0x20000000;
    internal const ulong CLONE_NEWNET = 0x40000000;
    internal const ulong CLONE_NEWTIME = 0x80;
    internal const ulong CLONE_CLEAR_SIGHAND = 0x100000000;
    internal const ulong CLONE_INTO_CGROUP = 0x200000000;

    // signal.h
    internal const int SIG_BLOCK = 0;
    internal const int SIG_SETMASK = 2;
    internal const int SIGHUP = 1;
    internal const int SIGINT = 2;
    internal const int SIGQUIT = 3;
    internal const int SIGKILL = 9;
    internal const int SIGPIPE = 13;
    internal const int SIGTERM = 15;
    internal const int SIGCHLD = 17;
    internal const int SIGCONT = 18;
    internal const int SIGSTOP = 19;

    // linux/wait.h
    internal const int P_PID = 1;
    internal const int P_PIDFD = 3;
    internal const int RUSAGE_SELF = 0;
    internal const int WNOHANG = 1;
    internal const int WEXITED = 4;
    internal const int WNOWAIT = 0x1000000;
    internal const int __WALL = 0x40000000;
    internal const int CLD_EXITED = 1;
    internal const int CLD_KILLED = 2;
    internal const int CLD_DUMPED = 3;

    // linux/prctl.h
    internal const int PR_SET_PDEATHSIG = 1;
    internal const int PR_SET_DUMPABLE = 4;
    internal const int PR_SET_KEEPCAPS = 8;
    internal const int PR_SET_NAME = 15;
    internal const int PR_CAPBSET_READ = 23;
    internal const int PR_CAPBSET_DROP = 24;
    internal const int PR_SET_SECUREBITS = 28;
    internal const int PR_SET_CHILD_SUBREAPER = 36;
    internal const int PR_SET_NO_NEW_PRIVS = 38;
    internal const int PR_GET_NO_NEW_PRIVS = 39;
    internal const int PR_CAP_AMBIENT = 47;
    internal const int PR_CAP_AMBIENT_RAISE = 2;
    internal const int PR_CAP_AMBIENT_CLEAR_ALL = 4;
    internal const uint _LINUX_CAPABILITY_VERSION_3 = 0x20080522;

    // linux/mount.h
    internal const ulong MS_RDONLY = 1;
    internal const ulong MS_NOSUID = 2;
    internal const ulong MS_NODEV = 4;
    internal const ulong MS_NOEXEC = 8;
    internal const ulong MS_REMOUNT = 32;
    internal const ulong MS_BIND = 0x1000;
    internal const ulong MS_MOVE = 0x2000;
    internal const ulong MS_REC = 0x4000;
    internal const ulong MS_UNBINDABLE = 0x20000;
    internal const ulong MS_PRIVATE = 0x40000;
    internal const ulong MS_SLAVE = 0x80000;
    internal const ulong MS_SHARED = 0x100000;
    internal const int MNT_DETACH = 2;
    internal const int UMOUNT_NOFOLLOW = 8;
    internal const int OPEN_TREE_CLONE = 1;
    internal const int OPEN_TREE_CLOEXEC = 0x80000;
    internal const int MOVE_MOUNT_F_EMPTY_PATH = 4;
    internal const int MOVE_MOUNT_T_EMPTY_PATH = 0x40;
    internal const int FSOPEN_CLOEXEC = 1;
    internal const int FSCONFIG_SET_FLAG = 0;
    internal const int FSCONFIG_SET_STRING = 1;
    internal const int FSCONFIG_SET_FD = 5;
    internal const int FSCONFIG_CMD_CREATE = 6;
    internal const int FSMOUNT_CLOEXEC = 1;
    internal const uint MOUNT_ATTR_RDONLY = 1;
    internal const uint MOUNT_ATTR_NOSUID = 2;
    internal const uint MOUNT_ATTR_NODEV = 4;
    internal const uint MOUNT_ATTR_NOEXEC = 8;
    internal const uint MOUNT_ATTR__ATIME = 0x70;
    internal const uint MOUNT_ATTR_NOATIME = 0x10;
    internal const uint MOUNT_ATTR_STRICTATIME = 0x20;
    internal const uint MOUNT_ATTR_NODIRATIME = 0x80;
    internal const uint MOUNT_ATTR_NOSYMFOLLOW = 0x200000;
    internal const uint MOUNT_ATTR_IDMAP = 0x100000;

    // sys/socket.h, net/if.h
    internal const int AF_UNIX = 1;
    internal const int AF_INET = 2;
    internal const int SOCK_STREAM = 1;
    internal const int SOCK_DGRAM = 2;
    internal const int SOCK_SEQPACKET = 5;
    internal const int SOCK_CLOEXEC = 0x80000;
    internal const int SOCK_NONBLOCK = 0x800;
    internal const int SOL_SOCKET = 1;
    internal const int SCM_RIGHTS = 1;
    internal const int MSG_CMSG_CLOEXEC = 0x40000000;
    internal const int MSG_CTRUNC = 8;
    internal const int MSG_PEEK = 2;
    internal const int MSG_DONTWAIT = 0x40;
    internal const int MSG_NOSIGNAL = 0x4000;
    internal const int SIOCSIFFLAGS = 0x8914;
    internal const int IFF_UP = 1;
    internal const int IFF_LOOPBACK = 8;
    internal const int IFF_RUNNING = 0x40;

    // asm-generic/ioctls.h
    internal const int TCGETS = 0x5401;
    internal const int TCSETSF = 0x5404;
    internal const int TIOCSCTTY = 0x540E;
    internal const int FIONREAD = 0x541B;
    internal const int TIOCGWINSZ = 0x5413;
    internal const int TIOCSWINSZ = 0x5414;
    internal const int TIOCSPTLCK = 0x40045431;
    internal const int TIOCGPTPEER = 0x5441;

    // sys/mman.h
    internal const int PROT_READ = 1;
    internal const int PROT_WRITE = 2;
    internal const int PROT_EXEC = 4;
    internal const int MAP_SHARED = 1;
    internal const int MAP_PRIVATE = 2;
    internal const int MAP_ANONYMOUS = 0x20;

    // sys/epoll.h, sys/eventfd.h
    internal const int EPOLL_CLOEXEC = 0x80000;
    internal const int EPOLL_CTL_ADD = 1;
    internal const int EPOLL_CTL_DEL = 2;
    internal const int EPOLL_CTL_MOD = 3;
    internal const uint EPOLLIN = 1;
    internal const uint EPOLLPRI = 2;
    internal const uint EPOLLOUT = 4;
    internal const uint EPOLLERR = 8;
    internal const uint EPOLLHUP = 0x10;
    internal const uint EPOLLRDHUP = 0x2000;
    internal const uint EPOLLONESHOT = 0x40000000;
    internal const uint EPOLLET = 0x80000000;
    internal const int EFD_CLOEXEC = 0x80000;
    internal const int EFD_NONBLOCK = 0x800;

    // statfs f_type, linux/magic.h
    internal const long PROC_SUPER_MAGIC = 0x9fa0;
    internal const long TMPFS_MAGIC = 0x01021994;
    internal const long CGROUP2_SUPER_MAGIC = 0x63677270;
    internal const long OVERLAYFS_SUPER_MAGIC = 0x794c7630;
}
