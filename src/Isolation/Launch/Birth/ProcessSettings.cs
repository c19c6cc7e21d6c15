using System.Globalization;
using System.Text;
using Isolation.Linux;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>
/// Priorities of a child that waits to be told to go on, and hard limits that are to be higher than this process's. Set
/// from outside, because the kernel asks for capabilities of the host's own user namespace, which the child may have
/// left; what the caller may do, its container gets. All of it is inherited by what the child starts.
/// </summary>
internal static unsafe class ProcessSettings
{
    private const string NoPrivilege = "raising it takes CAP_SYS_NICE in the host's user namespace; leave it out, or ask for less";

    internal static void Apply(int processId, ContainerSpec spec)
    {
        foreach ((ResourceLimitKind kind, ResourceLimit limit) in spec.ResourceLimits) Raise(processId, kind, limit);
        if (spec.OomScoreAdjustment is { } score) WriteOomScore(processId, score);
        if (spec.Nice is { } nice)
            Check(Syscall.Invoke(setpriority, 0, processId, nice), "setpriority", $"PRIO_PROCESS, {processId}, {nice}", $"Cannot set the nice value to {nice}", NoPrivilege);
        if (spec.Scheduling is { } scheduling)
        {
            int priority = scheduling.Priority; // struct sched_param
            Check(Syscall.Invoke(sched_setscheduler, processId, (int)scheduling.Policy, (nint)(&priority)), "sched_setscheduler", $"{processId}, {scheduling.Policy}, {priority}",
                $"Cannot schedule by {scheduling.Policy}", NoPrivilege);
        }

        if (spec.IoPriority is { } io)
            Check(Syscall.Invoke(ioprio_set, 1, processId, ((int)io.Class << 13) | io.Level), "ioprio_set", $"IOPRIO_WHO_PROCESS, {processId}, {io.Class} {io.Level}", $"Cannot set the io priority to {io.Class} {io.Level}", NoPrivilege);
    }

    // The plan sets the limits themselves, last; here only what it could not raise.
    private static void Raise(int processId, ResourceLimitKind kind, ResourceLimit limit)
    {
        ulong* words = stackalloc ulong[2];
        Syscall.Check(Syscall.Invoke(prlimit64, processId, (int)kind, 0, (nint)words), "prlimit64", $"{processId}, {kind}");
        if (limit.Hard <= words[1]) return;
        words[1] = limit.Hard;
        Check(Syscall.Invoke(prlimit64, processId, (int)kind, (nint)words, 0), "prlimit64", $"{processId}, {kind}, {limit.Hard}",
            $"Cannot raise the hard limit {kind} to {limit.Hard}", "raising a hard limit takes CAP_SYS_RESOURCE in the host's user namespace; ask for no more than this process has (ulimit -H)");
    }

    private static void WriteOomScore(int processId, int score)
    {
        try
        {
            using FileDescriptor file = FileDescriptor.Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/oom_score_adj"), Abi.O_WRONLY);
            Descriptors.Write(file, Encoding.ASCII.GetBytes(score.ToString(CultureInfo.InvariantCulture)));
        }
        catch (LinuxException cause)
        {
            throw new ContainerException(ContainerErrorReason.LaunchFailed, $"Cannot set the OOM score adjustment to {score}", cause,
                cause.Errno is Errno.EACCES or Errno.EPERM ? "lowering it takes CAP_SYS_RESOURCE in the host's user namespace; leave it out, or ask for a higher one" : null);
        }
    }

    private static void Check(nint result, string call, string operands, string message, string remedy)
    {
        if (!Syscall.IsError(result)) return;
        LinuxException cause = Syscall.Failure(result, call, operands);
        throw new ContainerException(ContainerErrorReason.LaunchFailed, message, cause, cause.Errno is Errno.EPERM or Errno.EACCES ? remedy : cause.Remedy);
    }
}
