using Isolation.Linux;

namespace Isolation.Launch;

/// <summary>clone3(2), and clone(2) where a filter answers clone3 with ENOSYS as Docker's did.</summary>
internal static unsafe class CloneCalls
{
    private const int WithoutGroup = 64, WithGroup = 88; // bytes of struct clone_args that are used
    private const ulong Always = Abi.CLONE_VM | Abi.CLONE_VFORK | Abi.CLONE_PIDFD;
    private static volatile bool _withoutClone3;

    /// <summary>
    /// In a control group of v2 from its birth (CLONE_INTO_CGROUP, Linux 5.7), which spares the lock that holds up every
    /// fork of the machine while a process is moved.
    /// </summary>
    /// <returns>An error too where the kernel does not know this: the child can be born outside, and moved.</returns>
    internal static nint CloneInto(int group, BirthSteps steps, ulong flags, int* pidfd) =>
        _withoutClone3 ? -(int)Errno.ENOSYS : Clone3(steps, flags | Always | Abi.CLONE_INTO_CGROUP, pidfd, group);

    internal static nint Clone(BirthSteps steps, ulong flags, int* pidfd)
    {
        flags |= Always;
        nint result = _withoutClone3 ? -(int)Errno.ENOSYS : Clone3(steps, flags, pidfd);
        if (Syscall.Is(result, Errno.ENOSYS))
        {
            _withoutClone3 = true;
            return LegacyClone(steps, flags, pidfd);
        }

        // A filter that knows nothing of clone3 may answer EPERM; whether it is the namespaces that are forbidden clone says.
        return Syscall.Is(result, Errno.EPERM) ? LegacyClone(steps, flags, pidfd) : result;
    }

    internal static nint Clone3(BirthSteps steps, ulong flags, int* pidfd, int group = -1)
    {
        if (Syscall.Fails(SystemCall.clone3, out nint fault)) return fault;

        // struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; set_tid, set_tid_size, cgroup.
        // Without a stack of its own the child has the parent's, which it does not touch.
        int size = group < 0 ? WithoutGroup : WithGroup;
        ulong* arguments = stackalloc ulong[WithGroup / sizeof(ulong)];
        new Span<ulong>(arguments, WithGroup / sizeof(ulong)).Clear();
        arguments[0] = flags | Abi.CLONE_CLEAR_SIGHAND;
        arguments[1] = (ulong)pidfd;
        arguments[4] = Abi.SIGCHLD;
        if (group >= 0) arguments[10] = (ulong)group;
        BirthRecord record = Record(steps, SystemCall.clone3);
        record.Operands[0] = (long)arguments;
        record.Operands[1] = size;
        return ExecutableMemory.Trampoline(&record);
    }

    // Handlers of signals are not cleared here; all signals are blocked until the image runs, which has none.
    internal static nint LegacyClone(BirthSteps steps, ulong flags, int* pidfd)
    {
        if (Syscall.Fails(SystemCall.clone, out nint fault)) return fault;
        BirthRecord record = Record(steps, SystemCall.clone);
        record.Operands[0] = (long)flags | Abi.SIGCHLD;
        record.Operands[2] = (long)pidfd; // both architectures: flags, stack, parent_tid, which CLONE_PIDFD takes over
        return ExecutableMemory.Trampoline(&record);
    }

    private static BirthRecord Record(BirthSteps steps, SystemCall call) => new()
    {
        Number = TargetAbi.Current.Number(call),
        Base = steps.Base,
        First = steps.First,
        FullMask = ulong.MaxValue,
    };
}
