using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>linux/mount.h, the operand of <c>mount_setattr</c> (Linux 5.12).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct mount_attr
{
    internal ulong attr_set;
    internal ulong attr_clr;
    internal ulong propagation;
    internal ulong userns_fd;
}
