using System.Buffers.Binary;
using Isolation.Launch;
using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Tests;

/// <summary>What a step does, read from its call and operands.</summary>
internal static class StepReading
{
    private static readonly SystemCall[] MountCalls = [mount, move_mount, open_tree, fsopen, fsconfig, fsmount, mount_setattr, umount2, pivot_root];

    internal static bool IsMountCall(this LaunchStep step) => MountCalls.Contains(step.Call);

    /// <summary>What the kernel allows only to who is privileged in the user namespace that owns the thing.</summary>
    internal static bool IsPrivileged(this LaunchStep step) => step.IsMountCall()
        || step.Call is unshare or sethostname or setdomainname or mknodat
        || (step.Call == ioctl && !step.IsTerminalCall())
        || (step.Call == setns && step.Number(1) != (long)CLONE_NEWUSER);

    internal static long Number(this LaunchStep step, int operand) => step.Operands[operand].Number;

    internal static string? Text(this LaunchStep step, int operand) => step.Operands[operand].Payload as string;

    internal static Slot? SlotOf(this LaunchStep step, int operand) =>
        step.Operands[operand].Kind == OperandKind.Slot ? (Slot)step.Operands[operand].Payload! : null;

    internal static Slot? Buffer(this LaunchStep step, int operand) =>
        step.Operands[operand].Kind == OperandKind.SlotAddress ? (Slot)step.Operands[operand].Payload! : null;

    internal static byte[] Data(this LaunchStep step, int operand) => (byte[])step.Operands[operand].Payload!;

    internal static ulong Word(this LaunchStep step, int operand, int word) =>
        BinaryPrimitives.ReadUInt64LittleEndian(step.Data(operand).AsSpan(8 * word));

    internal static bool IsCurrentDirectory(this LaunchStep step, int operand) =>
        step.Operands[operand].Kind == OperandKind.Value && step.Number(operand) == AT_FDCWD;

    internal static bool IsPrctl(this LaunchStep step, int option) => step.Call == prctl && step.Number(0) == option;

    /// <summary>The container's own, whose path no link is followed on where the kernel can be told so.</summary>
    internal static bool IsTerminalMaster(this LaunchStep step) => step.Call switch
    {
        openat => step.Text(1) == "/dev/pts/ptmx",
        openat2 => step.Text(1) is "/dev/pts/ptmx" or "/dev/console" && step.Word(2, 2) == RESOLVE_NO_SYMLINKS,
        mknodat => step.Text(1) == "/dev/console", // the terminal is put there, once the root is the container's
        _ => false,
    };

    internal static bool IsTerminalCall(this LaunchStep step) => step.Call == ioctl && step.Number(1) is TIOCSPTLCK or TIOCGPTPEER or TIOCSWINSZ or TIOCSCTTY;

    /// <summary>0, 1 and 2 are the program's own.</summary>
    internal static bool IsStandardStream(this LaunchStep step, int operand) => step.Operands[operand].Kind == OperandKind.Value && step.Number(operand) is 0 or 1 or 2;

    /// <summary>move_mount(mount, "", AT_FDCWD, "/").</summary>
    internal static bool StacksOnRoot(this LaunchStep step) =>
        step.Call == move_mount && step.IsCurrentDirectory(2) && step.Text(3) == "/";

    /// <summary>
    /// Whether a call returns a descriptor, and if so whether it is closed when a program is executed; null for calls
    /// that return none.
    /// </summary>
    internal static bool? ClosesOnExec(this LaunchStep step) => step.Call switch
    {
        openat => (step.Number(2) & O_CLOEXEC) != 0,
        openat2 => (step.Word(2, 0) & O_CLOEXEC) != 0,
        open_tree => (step.Number(2) & OPEN_TREE_CLOEXEC) != 0,
        fsopen => (step.Number(1) & FSOPEN_CLOEXEC) != 0,
        fsmount => (step.Number(1) & FSMOUNT_CLOEXEC) != 0,
        socket => (step.Number(1) & SOCK_CLOEXEC) != 0,
        dup3 => step.IsStandardStream(1) ? null : (step.Number(2) & O_CLOEXEC) != 0,
        ioctl when step.Number(1) == TIOCGPTPEER => (step.Number(2) & O_CLOEXEC) != 0,
        fcntl => step.Number(1) != F_DUPFD_CLOEXEC ? null : true,
        landlock_create_ruleset => true, // always
        SystemCall.epoll_create1 or eventfd2 or inotify_init1 or memfd_create or perf_event_open or pidfd_getfd
            or pidfd_open or pipe2 or signalfd4 or socketpair or timerfd_create or bpf => false, // teach this table before a plan uses one
        _ => null,
    };

    /// <summary>The buffer that the kernel fills, if any.</summary>
    internal static Slot? Filled(this LaunchStep step) => step.Call is read or recvfrom or wait4 ? step.Buffer(1) : step.Call == clone ? step.Buffer(2) : null;

    /// <summary>Slots whose content the call is given.</summary>
    internal static IEnumerable<Slot> Used(this LaunchStep step)
    {
        for (int i = 0; i < step.Operands.Count; i++)
        {
            if (step.SlotOf(i) is { } slot) yield return slot;
            else if (step.Buffer(i) is { } buffer && buffer != step.Filled()) yield return buffer;
        }
    }
}
