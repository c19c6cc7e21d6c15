namespace Isolation;

/// <summary>How the kernel chooses when a process runs (sched(7)).</summary>
public enum SchedulingPolicy
{
    /// <summary>SCHED_OTHER, the usual one.</summary>
    Other = 0,

    /// <summary>SCHED_FIFO, real time; needs privilege on the host.</summary>
    Fifo = 1,

    /// <summary>SCHED_RR, real time; needs privilege on the host.</summary>
    RoundRobin = 2,

    /// <summary>SCHED_BATCH, for work that nobody waits for.</summary>
    Batch = 3,

    /// <summary>SCHED_IDLE, when nothing else wants to run.</summary>
    Idle = 5,
}

/// <summary>The class of a process's disk requests (ioprio_set(2)).</summary>
public enum IoPriorityClass
{
    /// <summary>By the nice value.</summary>
    None = 0,

    /// <summary>Before all others; needs privilege on the host.</summary>
    RealTime = 1,

    /// <summary>The usual one, level 0 (first) to 7.</summary>
    BestEffort = 2,

    /// <summary>When nobody else asks.</summary>
    Idle = 3,
}
