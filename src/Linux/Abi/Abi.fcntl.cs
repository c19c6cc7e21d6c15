namespace Isolation.Linux;

internal static partial class Abi
{
    // linux/limits.h
    internal const int PATH_MAX = 4096;
    internal const int NAME_MAX = 255;

    // fcntl.h
    internal const int O_ACCMODE = 3;

    // linux/stat.h
    internal const uint STATX_BASIC_STATS = 0x7ff;
    internal const int AT_NO_AUTOMOUNT = 0x800;
    internal const int UTIME_OMIT = 0x3ffffffe;
    internal const int XATTR_SIZE_MAX = 0x10000; // linux/limits.h
    internal const int XATTR_LIST_MAX = 0x10000;
    internal const int MSG_TRUNC = 0x20; // sys/socket.h

    // unistd.h
    internal const int SEEK_SET = 0;
    internal const int SEEK_DATA = 3;
    internal const int SEEK_HOLE = 4;

    // linux/magic.h: views of the kernel rather than files
    internal const long SYSFS_MAGIC = 0x62656572;
    internal const long CGROUP_SUPER_MAGIC = 0x27e0eb;
    internal const long DEBUGFS_MAGIC = 0x64626720;
    internal const long TRACEFS_MAGIC = 0x74726163;
    internal const long SECURITYFS_MAGIC = 0x73636673;
    internal const long SELINUX_MAGIC = 0xf97cff8c;
    internal const long SMACK_MAGIC = 0x43415d53;
    internal const long BPF_FS_MAGIC = 0xcafe4a11;
    internal const long EFIVARFS_MAGIC = 0xde5e81e4;
    internal const long BINFMTFS_MAGIC = 0x42494e4d;
    internal const long PSTOREFS_MAGIC = 0x6165676c;
    internal const long NSFS_MAGIC = 0x6e736673;
    internal const long MQUEUE_MAGIC = 0x19800202; // ipc/mqueue.c, exported to nobody
    internal const long CONFIGFS_MAGIC = 0x62656570; // fs/configfs/mount.c, exported to nobody
    internal const long FUSECTL_SUPER_MAGIC = 0x65735543; // fs/fuse/control.c, exported to nobody

    // linux/statfs.h, bits/statvfs.h
    internal const int ST_NOSYMFOLLOW = 0x2000; // Linux 5.10
}
