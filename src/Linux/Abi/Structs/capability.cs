using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>linux/capability.h</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct __user_cap_header_struct
{
    internal uint version; // _LINUX_CAPABILITY_VERSION_3
    internal int pid; // 0 for the calling thread
}

/// <summary>linux/capability.h; version 3 takes two of them, capabilities 0 to 31 and 32 to 63.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct __user_cap_data_struct
{
    internal uint effective;
    internal uint permitted;
    internal uint inheritable;
}
