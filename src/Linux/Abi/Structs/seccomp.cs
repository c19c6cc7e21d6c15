using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>linux/seccomp.h: a call, as a filter sees it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct seccomp_data
{
    internal int nr;
    internal uint arch;
    internal ulong instruction_pointer;
    internal fixed ulong args[6];

    internal ulong Argument(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)index, 5u);
        return args[index];
    }
}

/// <summary>linux/seccomp.h: a call that waits for whoever listens.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct seccomp_notif
{
    internal ulong id;
    internal uint pid;
    internal uint flags;
    internal seccomp_data data;
}

/// <summary>linux/seccomp.h</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct seccomp_notif_resp
{
    internal ulong id;
    internal long val;
    internal int error;
    internal uint flags;
}

/// <summary>linux/seccomp.h</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct seccomp_notif_addfd
{
    internal ulong id;
    internal uint flags;
    internal uint srcfd;
    internal uint newfd;
    internal uint newfd_flags;
}

/// <summary>linux/seccomp.h</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct seccomp_notif_sizes
{
    internal ushort seccomp_notif;
    internal ushort seccomp_notif_resp;
    internal ushort seccomp_data;
}
