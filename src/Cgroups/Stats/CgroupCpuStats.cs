using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Isolation.Cgroups;

/// <summary>
/// Processor time of a control group and those beneath it, since the group was made.
/// Kernel documents: admin-guide/cgroup-v1/cpuacct.rst, scheduler/sched-bwc.rst, admin-guide/cgroup-v2.rst ("CPU").
/// </summary>
public struct CgroupCpuStats
{
    internal Figure UsageFigure, UserFigure, SystemFigure, PeriodsFigure, ThrottledPeriodsFigure, ThrottledTimeFigure, BurstsFigure, BurstTimeFigure;
    internal TimeSpan[]? PerProcessorTimes;

    /// <summary>All processor time used. v1 <c>cpuacct.usage</c> (nanoseconds); v2 <c>cpu.stat</c>, <c>usage_usec</c>.</summary>
    public readonly TimeSpan? Usage => UsageFigure.Time;

    /// <summary>The part of it in user mode. v1 <c>cpuacct.stat</c>, <c>user</c>, in steps of 10 ms; v2 <c>cpu.stat</c>, <c>user_usec</c>.</summary>
    public readonly TimeSpan? User => UserFigure.Time;

    /// <summary>The part of it in the kernel. v1 <c>cpuacct.stat</c>, <c>system</c>, in steps of 10 ms; v2 <c>cpu.stat</c>, <c>system_usec</c>.</summary>
    public readonly TimeSpan? System => SystemFigure.Time;

    /// <summary>
    /// How many periods of the quota have passed in which the group had something to run. <c>cpu.stat</c>,
    /// <c>nr_periods</c>, with the <c>cpu</c> controller of either version. It stands still while there is no quota.
    /// </summary>
    public readonly long? Periods => PeriodsFigure.Value;

    /// <summary>In how many of them the quota was used up. <c>cpu.stat</c>, <c>nr_throttled</c>.</summary>
    public readonly long? ThrottledPeriods => ThrottledPeriodsFigure.Value;

    /// <summary>
    /// For how long the group was not run because of it, summed over processors. v1 <c>cpu.stat</c>, <c>throttled_time</c>
    /// (nanoseconds); v2 <c>throttled_usec</c>.
    /// </summary>
    public readonly TimeSpan? ThrottledTime => ThrottledTimeFigure.Time;

    /// <summary>In how many periods more than the quota was used, from what was saved before. <c>cpu.stat</c>, <c>nr_bursts</c> (Linux 5.15).</summary>
    public readonly long? Bursts => BurstsFigure.Value;

    /// <summary>How much more. v1 <c>cpu.stat</c>, <c>burst_time</c> (nanoseconds); v2 <c>burst_usec</c> (Linux 5.15).</summary>
    public readonly TimeSpan? BurstTime => BurstTimeFigure.Time;

    /// <summary>
    /// <see cref="Usage"/> by processor, an entry for each that the machine may have. v1 <c>cpuacct.usage_percpu</c>
    /// (nanoseconds); v2 has none. Only where it was asked for (<see cref="CgroupStatsDetails.PerProcessor"/>).
    /// </summary>
    public readonly ImmutableArray<TimeSpan>? PerProcessor => PerProcessorTimes is null ? null : ImmutableCollectionsMarshal.AsImmutableArray(PerProcessorTimes);
}
