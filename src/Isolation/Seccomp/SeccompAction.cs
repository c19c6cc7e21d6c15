using Isolation.Linux;

namespace Isolation;

/// <summary>What becomes of a system call (seccomp(2), "SECCOMP_RET_…"). Immutable; the default is <see cref="KillThread"/>, as in the kernel.</summary>
public readonly record struct SeccompAction
{
    private SeccompAction(uint value) => Value = value;

    /// <summary>As a filter returns it.</summary>
    internal uint Value { get; }

    /// <summary>The call is made.</summary>
    public static SeccompAction Allow { get; } = new(0x7fff0000);

    /// <summary>The call is made, and the kernel logs it where <c>/proc/sys/kernel/seccomp/actions_logged</c> has <c>log</c>.</summary>
    public static SeccompAction Log { get; } = new(0x7ffc0000);

    /// <summary>The handler of the program decides (seccomp_unotify(2)); see <c>WithSystemCallHandler</c>.</summary>
    public static SeccompAction Notify { get; } = new(0x7fc00000);

    /// <summary>The thread gets SIGSYS.</summary>
    public static SeccompAction Trap { get; } = new(0x00030000);

    /// <summary>The thread ends as if by SIGSYS; the others of its process live on.</summary>
    public static SeccompAction KillThread { get; } = new(0);

    /// <summary>The process ends as if by SIGSYS.</summary>
    public static SeccompAction KillProcess { get; } = new(0x80000000);

    /// <summary>The call is not made, and fails.</summary>
    /// <param name="errno">With which error; at most 4095.</param>
    public static SeccompAction Fail(Errno errno)
    {
        ArgumentOutOfRangeException.ThrowIfNegative((int)errno, nameof(errno));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)errno, 4095, nameof(errno)); // the kernel caps it
        return new(0x00050000 | (uint)errno);
    }

    /// <summary>A tracer decides (ptrace(2), PTRACE_EVENT_SECCOMP); without one the call fails with ENOSYS.</summary>
    /// <param name="message">What it is told.</param>
    public static SeccompAction Trace(ushort message) => new(0x7ff00000u | message);

    /// <summary>Whether the call fails with an error that the filter says.</summary>
    internal bool IsFailure => (Value & 0xffff0000) == 0x00050000;

    /// <summary>In words.</summary>
    public override string ToString() => (Value & 0xffff0000) switch
    {
        0x7fff0000 => "allow",
        0x7ffc0000 => "log",
        0x7ff00000 => $"trace {Value & 0xffff}",
        0x7fc00000 => "notify",
        0x00050000 => $"errno {(Errno)(Value & 0xffff)}",
        0x00030000 => "trap",
        0x80000000 => "kill process",
        0 => "kill thread",
        _ => $"0x{Value:x8}",
    };
}
