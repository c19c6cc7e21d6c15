using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>sys/inotify.h; <c>len</c> bytes of name follow, NULs at the end included.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct inotify_event
{
    internal int wd;
    internal uint mask;
    internal uint cookie;
    internal uint len;
}
