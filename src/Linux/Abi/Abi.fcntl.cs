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

    // linux/statfs.h, bits/statvfs.h
    internal const int ST_NOSYMFOLLOW = 0x2000; // Linux 5.10
}
