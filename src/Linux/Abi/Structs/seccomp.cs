using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>linux/seccomp.h: a call that waits for whoever listens, with <c>struct seccomp_data</c> from <see cref="nr"/> on.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct seccomp_notif
{
    internal ulong id;
    internal uint pid;
    internal uint flags;
    internal int nr;
    internal uint arch;
    internal ulong instruction_pointer;
    internal ulong arg0;
    internal ulong arg1;
    internal ulong arg2;
    internal ulong arg3;
    internal ulong arg4;
    internal ulong arg5;
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
