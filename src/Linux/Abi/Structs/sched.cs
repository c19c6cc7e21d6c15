using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>linux/sched.h, the operand of <c>clone3</c>, up to the <c>cgroup</c> of Linux 5.7 (CLONE_ARGS_SIZE_VER2).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct clone_args
{
    internal ulong flags;
    internal ulong pidfd; // int *
    internal ulong child_tid; // pid_t *
    internal ulong parent_tid; // pid_t *
    internal ulong exit_signal;
    internal ulong stack;
    internal ulong stack_size;
    internal ulong tls;
    internal ulong set_tid; // pid_t *
    internal ulong set_tid_size;
    internal ulong cgroup; // a descriptor, with CLONE_INTO_CGROUP
}
