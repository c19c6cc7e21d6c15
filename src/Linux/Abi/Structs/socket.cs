#pragma warning disable CS8981 // the kernel writes in lower case
using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>sys/un.h. A path of 108 bytes has no room for its NUL, and the kernel does not ask for one.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct sockaddr_un
{
    internal ushort sun_family;
    internal fixed byte sun_path[108];
}

/// <summary>net/if.h: the name, and of the union the arm of SIOCSIFFLAGS.</summary>
[StructLayout(LayoutKind.Sequential, Size = 40)]
internal unsafe struct ifreq
{
    internal fixed byte ifr_name[16];
    internal short ifr_flags;
}
