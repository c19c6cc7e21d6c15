namespace Isolation.Cgroups;

/// <summary>Something that happened to a control group.</summary>
/// <param name="Kind">What.</param>
/// <param name="Count">How often, since the last event of this kind that the watch told: what happens faster than it is read becomes one event.</param>
/// <param name="Time">When it was noticed.</param>
/// <param name="Pressure">Of <see cref="CgroupEventKind.Pressure"/>, which trigger it was.</param>
public sealed record CgroupEvent(CgroupEventKind Kind, long Count, DateTimeOffset Time, CgroupPressureTrigger? Pressure = null);

/// <summary>What can happen to a control group. Which of it is told depends on its controllers and their version.</summary>
public enum CgroupEventKind
{
    /// <summary>The limit of memory is reached, and nothing can be reclaimed. v1 an eventfd for <c>memory.oom_control</c>, v2 <c>memory.events</c>, "oom".</summary>
    OutOfMemory,

    /// <summary>A process was killed for that. v1 <c>memory.oom_control</c> (Linux 4.13), v2 <c>memory.events</c>; "oom_kill".</summary>
    OutOfMemoryKill,

    /// <summary>Memory was reclaimed although the group uses less than <see cref="ResourceLimits.MemoryReservation"/>. v2 <c>memory.events</c>, "low".</summary>
    MemoryLow,

    /// <summary>The group was slowed down for being above <see cref="ResourceLimits.MemoryHigh"/>. v2 <c>memory.events</c>, "high".</summary>
    MemoryHigh,

    /// <summary>The limit of memory was about to be passed, and something was reclaimed first. v2 <c>memory.events</c>, "max".</summary>
    MemoryMax,

    /// <summary>A process could not be made for the limit of them. <c>pids.events</c> (Linux 4.8), "max".</summary>
    PidsMax,

    /// <summary>There is a process in the group, or in one beneath it. v2 <c>cgroup.events</c>.</summary>
    Populated,

    /// <summary>There is none any more. v2 <c>cgroup.events</c>.</summary>
    Empty,

    /// <summary>All that is in it is stopped. v2 <c>cgroup.events</c> (Linux 5.2).</summary>
    Frozen,

    /// <summary>It goes on. v2 <c>cgroup.events</c> (Linux 5.2).</summary>
    Thawed,

    /// <summary>More time was lost than a trigger allows. v2 <c>cpu.pressure</c> and the like (Linux 5.2, CONFIG_PSI).</summary>
    Pressure,
}
