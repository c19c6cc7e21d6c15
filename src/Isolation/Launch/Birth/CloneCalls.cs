using Isolation.Linux;

namespace Isolation.Launch;

/// <summary>clone3(2), and clone(2) where a filter answers clone3 with ENOSYS as Docker's did.</summary>
internal static unsafe class CloneCalls
{
    private static volatile bool _withoutClone3;

    internal static nint Clone(BirthSteps steps, ulong flags, int* pidfd)
    {
        flags |= Abi.CLONE_VM | Abi.CLONE_VFORK | Abi.CLONE_PIDFD;
        nint result = _withoutClone3 ? -(int)Errno.ENOSYS : Clone3(steps, flags, pidfd);
        if (Syscall.Is(result, Errno.ENOSYS))
        {
            _withoutClone3 = true;
            return LegacyClone(steps, flags, pidfd);
        }

        // A filter that knows nothing of clone3 may answer EPERM; whether it is the namespaces that are forbidden clone says.
        return Syscall.Is(result, Errno.EPERM) ? LegacyClone(steps, flags, pidfd) : result;
    }

    internal static nint Clone3(BirthSteps steps, ulong flags, int* pidfd)
    {
        // struct clone_args, version 0 (64 bytes): flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls.
        // Without a stack of its own the child has the parent's, which it does not touch.
        ulong* arguments = stackalloc ulong[8];
        new Span<ulong>(arguments, 8).Clear();
        arguments[0] = flags | Abi.CLONE_CLEAR_SIGHAND;
        arguments[1] = (ulong)pidfd;
        arguments[4] = Abi.SIGCHLD;
        BirthRecord record = Record(steps, SystemCall.clone3);
        record.Operands[0] = (long)arguments;
        record.Operands[1] = 64;
        return ExecutableMemory.Trampoline(&record);
    }

    // Handlers of signals are not cleared here; all signals are blocked until the image runs, which has none.
    internal static nint LegacyClone(BirthSteps steps, ulong flags, int* pidfd)
    {
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
