#pragma warning disable CS8981 // the kernel writes in lower case
using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>linux/stat.h</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct statx_timestamp
{
    internal long tv_sec;
    internal uint tv_nsec;
    private readonly int _reserved;
}

/// <summary>linux/stat.h; the kernel writes 256 bytes, of which those named here are used.</summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
internal struct statx
{
    internal uint stx_mask;
    internal uint stx_blksize;
    internal ulong stx_attributes;
    internal uint stx_nlink;
    internal uint stx_uid;
    internal uint stx_gid;
    internal ushort stx_mode;
    private readonly ushort _spare0;
    internal ulong stx_ino;
    internal ulong stx_size;
    internal ulong stx_blocks;
    internal ulong stx_attributes_mask;
    internal statx_timestamp stx_atime;
    internal statx_timestamp stx_btime;
    internal statx_timestamp stx_ctime;
    internal statx_timestamp stx_mtime;
    internal uint stx_rdev_major;
    internal uint stx_rdev_minor;
    internal uint stx_dev_major;
    internal uint stx_dev_minor;
    internal ulong stx_mnt_id; // Linux 5.8
}

/// <summary>asm-generic/statfs.h, <c>struct statfs</c> of a 64-bit machine.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct statfs
{
    internal long f_type;
    internal long f_bsize;
    internal ulong f_blocks;
    internal ulong f_bfree;
    internal ulong f_bavail;
    internal ulong f_files;
    internal ulong f_ffree;
    internal ulong f_fsid;
    internal long f_namelen;
    internal long f_frsize;
    internal long f_flags;
    private readonly long _spare0;
    private readonly long _spare1;
    private readonly long _spare2;
    private readonly long _spare3;
}
