#pragma warning disable CS8981 // the kernel writes in lower case
using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>signal.h, <c>siginfo_t</c>, as <c>waitid</c> fills it in: the SIGCHLD arm of the union.</summary>
[StructLayout(LayoutKind.Sequential, Size = 128)]
internal struct siginfo
{
    internal int si_signo;
    internal int si_errno;
    internal int si_code;
    private readonly int _padding; // the union begins at 16: some of its arms hold pointers
    internal int si_pid;
    internal uint si_uid;
    internal int si_status;
}
