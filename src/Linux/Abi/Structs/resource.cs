// The names are the kernel's, and the kernel writes in lower case.
#pragma warning disable CS8981
using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>linux/time.h</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct timeval
{
    internal long tv_sec;
    internal long tv_usec;

    internal readonly TimeSpan ToTimeSpan() => TimeSpan.FromTicks(tv_sec * TimeSpan.TicksPerSecond + tv_usec * TimeSpan.TicksPerMicrosecond);
}

/// <summary>linux/time.h</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct timespec
{
    internal long tv_sec;
    internal long tv_nsec;
}

/// <summary>sys/resource.h</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct rusage
{
    internal timeval ru_utime;
    internal timeval ru_stime;
    internal long ru_maxrss; // KiB
    internal long ru_ixrss;
    internal long ru_idrss;
    internal long ru_isrss;
    internal long ru_minflt;
    internal long ru_majflt;
    internal long ru_nswap;
    internal long ru_inblock;
    internal long ru_oublock;
    internal long ru_msgsnd;
    internal long ru_msgrcv;
    internal long ru_nsignals;
    internal long ru_nvcsw;
    internal long ru_nivcsw;
}
