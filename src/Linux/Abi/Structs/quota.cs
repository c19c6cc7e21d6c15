#pragma warning disable CS8981 // the kernel writes in lower case
using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>linux/fs.h, the operand of FS_IOC_FSGETXATTR and FS_IOC_FSSETXATTR.</summary>
[StructLayout(LayoutKind.Sequential, Size = 28)]
internal struct fsxattr
{
    internal uint fsx_xflags;
    internal uint fsx_extsize;
    internal uint fsx_nextents;
    internal uint fsx_projid;
    internal uint fsx_cowextsize;
}

/// <summary>linux/quota.h, the operand of Q_GETQUOTA and Q_SETQUOTA.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct if_dqblk
{
    internal ulong dqb_bhardlimit;
    internal ulong dqb_bsoftlimit;
    internal ulong dqb_curspace;
    internal ulong dqb_ihardlimit;
    internal ulong dqb_isoftlimit;
    internal ulong dqb_curinodes;
    internal ulong dqb_btime;
    internal ulong dqb_itime;
    internal uint dqb_valid;
}
