using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>linux/openat2.h</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct open_how
{
    internal ulong flags;
    internal ulong mode;
    internal ulong resolve;
}
