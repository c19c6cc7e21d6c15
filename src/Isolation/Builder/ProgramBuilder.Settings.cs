using Microsoft.Win32.SafeHandles;

namespace Isolation;

public abstract partial class ProgramBuilder<TSelf>
{
    /// <summary>A limit of what the program may use (setrlimit(2)). A hard limit above this process's own takes CAP_SYS_RESOURCE.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The soft limit is above the hard one, or there is no such kind.</exception>
    public TSelf WithResourceLimit(ResourceLimitKind kind, ulong soft, ulong? hard = null)
    {
        if (!Enum.IsDefined(kind)) throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such limit.");
        if (soft > (hard ?? soft)) throw new ArgumentOutOfRangeException(nameof(soft), soft, $"The soft limit is above the hard one, {hard}.");
        return Set(Draft with { ResourceLimits = Draft.ResourceLimits.SetItem(kind, new(soft, hard ?? soft)) });
    }

    /// <summary>How likely the kernel chooses the program when memory is short (proc_pid_oom_score_adj(5)).</summary>
    /// <param name="adjustment">-1000 (never) to 1000 (first); lowering it takes CAP_SYS_RESOURCE in the host's user namespace.</param>
    public TSelf WithOomScoreAdjustment(int adjustment)
    {
        if (adjustment is < -1000 or > 1000) throw new ArgumentOutOfRangeException(nameof(adjustment), adjustment, "An OOM score adjustment is -1000 to 1000.");
        return Set(Draft with { OomScoreAdjustment = adjustment });
    }

    /// <summary>The program's nice value (setpriority(2)).</summary>
    /// <param name="value">-20 (first) to 19; lowering it takes CAP_SYS_NICE in the host's user namespace.</param>
    public TSelf WithNice(int value)
    {
        if (value is < -20 or > 19) throw new ArgumentOutOfRangeException(nameof(value), value, "A nice value is -20 to 19.");
        return Set(Draft with { Nice = value });
    }

    /// <summary>How the kernel schedules the program (sched(7)).</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="priority">1 to 99 for real-time policies, else 0.</param>
    public TSelf WithScheduling(SchedulingPolicy policy, int priority = 0)
    {
        if (!Enum.IsDefined(policy)) throw new ArgumentOutOfRangeException(nameof(policy), policy, "There is no such policy.");
        bool realTime = policy is SchedulingPolicy.Fifo or SchedulingPolicy.RoundRobin;
        if (realTime ? priority is < 1 or > 99 : priority != 0)
            throw new ArgumentOutOfRangeException(nameof(priority), priority, realTime ? "A real-time priority is 1 to 99." : $"{policy} has no priorities.");
        return Set(Draft with { Scheduling = (policy, priority) });
    }

    /// <summary>How the program's disk requests are served (ioprio_set(2)).</summary>
    /// <param name="ioClass">The class.</param>
    /// <param name="level">0 (first) to 7, for the real-time and best-effort classes.</param>
    public TSelf WithIoPriority(IoPriorityClass ioClass, int level = 0)
    {
        if (!Enum.IsDefined(ioClass)) throw new ArgumentOutOfRangeException(nameof(ioClass), ioClass, "There is no such class.");
        if (level is < 0 or > 7) throw new ArgumentOutOfRangeException(nameof(level), level, "A level is 0 to 7.");
        return Set(Draft with { IoPriority = (ioClass, level) });
    }

    /// <summary>The processors the program may run on (sched_setaffinity(2)).</summary>
    /// <param name="processors">Numbers from 0 on; at least one.</param>
    public TSelf WithProcessors(params IReadOnlyList<int> processors)
    {
        ArgumentNullException.ThrowIfNull(processors);
        if (processors.Count == 0) throw new ArgumentException("At least one processor is needed.", nameof(processors));
        foreach (int processor in processors)
            if (processor is < 0 or > 8191) throw new ArgumentOutOfRangeException(nameof(processors), processor, "Processors are numbered 0 to 8191.");
        return Set(Draft with { Processors = [.. processors.Distinct().Order()] });
    }

    /// <summary>Which session and process group the program is in; a session of its own by default.</summary>
    public TSelf WithSession(ProgramSession session)
    {
        if (!Enum.IsDefined(session)) throw new ArgumentOutOfRangeException(nameof(session), session, "There is no such session.");
        return Set(Draft with { Session = session });
    }

    /// <summary>
    /// Gives the program a descriptor besides the standard streams. Nothing else is inherited.
    /// </summary>
    /// <param name="number">What it is inside, 3 to 1000.</param>
    /// <param name="handle">An open file of the caller, which keeps it.</param>
    public TSelf WithDescriptor(int number, SafeFileHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        if (number is < 3 or > 1000) throw new ArgumentOutOfRangeException(nameof(number), number, "Descriptors besides the standard streams are 3 to 1000.");
        return Set(Draft with { Descriptors = Draft.Descriptors.SetItem(number, handle) });
    }

    /// <summary>
    /// The program's standard streams are a pseudo-terminal of the container's own, which is also its controlling
    /// terminal. <see cref="ContainerProcess.Terminal"/> is the other side.
    /// </summary>
    public TSelf WithTerminal(int columns = 80, int rows = 24)
    {
        if (columns is < 1 or > 65535) throw new ArgumentOutOfRangeException(nameof(columns), columns, "A terminal has 1 to 65535 columns.");
        if (rows is < 1 or > 65535) throw new ArgumentOutOfRangeException(nameof(rows), rows, "A terminal has 1 to 65535 rows.");
        return Set(Draft with { Terminal = new(columns, rows) });
    }
}
