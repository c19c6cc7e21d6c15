namespace Isolation.Cgroups;

/// <summary>v1 <c>cpu</c>: Documentation/scheduler/sched-bwc.rst, sched-rt-group.rst.</summary>
internal static class CpuV1
{
    internal const string Quota = "cpu.cfs_quota_us", PeriodFile = "cpu.cfs_period_us";
    private const CgroupController Controller = CgroupController.Cpu;

    internal static void Translate(LimitPlan plan, ResourceLimits limits, LimitsNow now)
    {
        if (limits.CpuShares is { } shares) plan.Write(Controller, "cpu.shares", LimitText.Of(shares), $"give {shares} shares of the processors");
        else if (limits.CpuWeight is { } weight) plan.Write(Controller, "cpu.shares", LimitText.Of(CpuWeight.ToShares(weight)), $"weigh {weight} for the processors");
        Bandwidth(plan, limits, now);
        if (limits.RealtimePeriod is { } period) plan.Write(Controller, "cpu.rt_period_us", LimitText.Of(LimitText.Microseconds(period)), "set the period of real-time scheduling");
        if (limits.RealtimeRuntime is { } runtime) plan.Write(Controller, "cpu.rt_runtime_us", LimitText.Of(LimitText.Microseconds(runtime)), "limit real-time scheduling");
        if (limits.CpuIdle is { } idle) plan.Write(Controller, "cpu.idle", idle ? "1" : "0", "run only where nobody else wants to");
        if (limits.UtilizationAtLeast is { } least) plan.Write(Controller, "cpu.uclamp.min", LimitText.Percent(least), "ask for the processors' performance");
        if (limits.UtilizationAtMost is { } most) plan.Write(Controller, "cpu.uclamp.max", LimitText.Percent(most), "cap the processors' performance");
    }

    private static void Bandwidth(LimitPlan plan, ResourceLimits limits, LimitsNow now)
    {
        if (limits.Cpus is { } cpus)
        {
            long period = LimitText.Period(limits, now);
            if (period != (now.CpuPeriod ?? LimitText.DefaultPeriod)) plan.Write(Controller, PeriodFile, LimitText.Of(period), "set the period of the processor limit");
            plan.Write(Controller, Quota, LimitText.OrMinusOne(LimitText.Quota(cpus, period)), LimitText.Processors(cpus));
        }

        if (limits.CpuBurst is { } burst) plan.Write(Controller, "cpu.cfs_burst_us", LimitText.Of(LimitText.Microseconds(burst)), "allow a burst of processor time");
    }
}
