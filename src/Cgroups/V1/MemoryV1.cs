namespace Isolation.Cgroups;

/// <summary>v1 <c>memory</c>: Documentation/admin-guide/cgroup-v1/memory.rst.</summary>
internal static class MemoryV1
{
    internal const string Limit = "memory.limit_in_bytes", LimitWithSwap = "memory.memsw.limit_in_bytes";
    private const CgroupController Controller = CgroupController.Memory;

    /// <param name="plan">Gets the writes.</param>
    /// <param name="limits">What is asked for.</param>
    /// <param name="now">What is in force.</param>
    internal static void Translate(LimitPlan plan, ResourceLimits limits, LimitsNow now)
    {
        // The kernel keeps memory at or below memory and swap at every moment: who grows grows the larger one first.
        bool grows = limits.Memory > now.MemoryAndSwap;
        if (grows) WithSwap(plan, limits);
        if (limits.Memory is { } memory) plan.Write(Controller, Limit, LimitText.OrMinusOne(memory), $"limit memory to {LimitText.Bytes(memory)}");
        if (!grows) WithSwap(plan, limits);
        if (limits.MemoryReservation is { } soft) plan.Write(Controller, "memory.soft_limit_in_bytes", LimitText.OrMinusOne(soft), $"reserve {LimitText.Bytes(soft)} of memory");
        if (limits.KernelTcpMemory is { } tcp) plan.Write(Controller, "memory.kmem.tcp.limit_in_bytes", LimitText.OrMinusOne(tcp), $"limit TCP buffers to {LimitText.Bytes(tcp)}");
        if (limits.MemorySwappiness is { } swappiness) plan.Write(Controller, "memory.swappiness", LimitText.Of(swappiness), $"swap with a willingness of {swappiness}");
        if (limits.OomKillDisabled is { } disabled)
            plan.Writes.Add(new(Controller, "memory.oom_control", disabled ? "1" : "0", disabled ? "let processes wait for memory" : "kill who needs more memory") { Undo = OomKill });
        plan.Lacks(limits.MemoryGuarantee is not null, nameof(limits.MemoryGuarantee), "memory.min is of v2; v1 has the softer MemoryReservation (memory.soft_limit_in_bytes)");
        plan.Lacks(limits.MemoryHigh is not null, nameof(limits.MemoryHigh), "memory.high is of v2; v1 has no limit that slows down without killing");
        plan.Lacks(limits.ZswapBytes is not null, nameof(limits.ZswapBytes), "memory.zswap.max is of v2; v1 does not count compressed swap");
        plan.Lacks(limits.OomKillsAll == true, nameof(limits.OomKillsAll), "memory.oom.group is of v2; v1 kills one process");
    }

    private static void WithSwap(LimitPlan plan, ResourceLimits limits)
    {
        if (limits.MemoryAndSwap is { } both) plan.Write(Controller, LimitWithSwap, LimitText.OrMinusOne(both), $"limit memory and swap to {LimitText.Bytes(both)}");
    }

    /// <summary>The file says more than is written to it.</summary>
    private static string? OomKill(string before) => before.Contains("oom_kill_disable 1", StringComparison.Ordinal) ? "1" : "0";
}
