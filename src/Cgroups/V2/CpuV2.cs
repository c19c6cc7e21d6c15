namespace Isolation.Cgroups;

/// <summary>v2 <c>cpu</c>: Documentation/admin-guide/cgroup-v2.rst, "CPU".</summary>
internal static class CpuV2
{
    internal const string Most = "cpu.max";
    private const CgroupController Controller = CgroupController.Cpu;

    internal static void Translate(LimitPlan plan, ResourceLimits limits, LimitsNow now)
    {
        if (limits.CpuWeight is { } weight) plan.Write(Controller, "cpu.weight", LimitText.Of(weight), $"weigh {weight} for the processors");
        else if (limits.CpuShares is { } shares) plan.Write(Controller, "cpu.weight", LimitText.Of(CpuWeight.FromShares(shares)), $"give {shares} shares of the processors");
        if (limits.Cpus is { } cpus)
        {
            long period = LimitText.Period(limits, now);
            plan.Write(Controller, Most, $"{LimitText.OrMax(LimitText.Quota(cpus, period))} {LimitText.Of(period)}", LimitText.Processors(cpus));
        }

        if (limits.CpuBurst is { } burst) plan.Write(Controller, "cpu.max.burst", LimitText.Of(LimitText.Microseconds(burst)), "allow a burst of processor time");
        if (limits.CpuIdle is { } idle) plan.Write(Controller, "cpu.idle", idle ? "1" : "0", "run only where nobody else wants to");
        if (limits.UtilizationAtLeast is { } least) plan.Write(Controller, "cpu.uclamp.min", LimitText.Percent(least), "ask for the processors' performance");
        if (limits.UtilizationAtMost is { } most) plan.Write(Controller, "cpu.uclamp.max", LimitText.Percent(most), "cap the processors' performance");
        const string RealTime = "real-time budgets are of v1 (cpu.rt_runtime_us); v2 has none, and with CONFIG_RT_GROUP_SCHED no real-time processes";
        plan.Lacks(limits.RealtimeRuntime is not null, nameof(limits.RealtimeRuntime), RealTime);
        plan.Lacks(limits.RealtimePeriod is not null, nameof(limits.RealtimePeriod), RealTime);
    }
}
