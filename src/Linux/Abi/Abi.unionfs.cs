namespace Isolation.Linux;

internal static partial class Abi
{
    // linux/fs.h
    internal const int FICLONE = 0x40049409;
    internal const uint FS_IOC_FSGETXATTR = 0x801c581f;
    internal const uint FS_IOC_FSSETXATTR = 0x401c5820;
    internal const uint FS_XFLAG_PROJINHERIT = 0x200;

    // linux/quota.h, linux/dqblk_xfs.h
    internal const uint Q_GETINFO = 0x800005;
    internal const uint Q_GETQUOTA = 0x800007;
    internal const uint Q_SETQUOTA = 0x800008;
    internal const int PRJQUOTA = 2;
    internal const uint QIF_LIMITS = 5;

    // linux/magic.h
    internal const long FUSE_SUPER_MAGIC = 0x65735546;
    internal const long AUFS_SUPER_MAGIC = 0x61756673; // aufs_type.h, out of the kernel's tree
    internal const long SQUASHFS_MAGIC = 0x73717368;
    internal const long EROFS_SUPER_MAGIC_V1 = 0xE0F5E1E2;
    internal const long ISOFS_SUPER_MAGIC = 0x9660;
    internal const long CRAMFS_MAGIC = 0x28cd3d45;
}
