namespace Isolation.Cgroups;

/// <summary>v2 <c>memory</c>: Documentation/admin-guide/cgroup-v2.rst, "Memory".</summary>
internal static class MemoryV2
{
    internal const string Limit = "memory.max";
    private const CgroupController Controller = CgroupController.Memory;

    internal static void Translate(LimitPlan plan, ResourceLimits limits)
    {
        if (limits.MemoryGuarantee is { } min) plan.Write(Controller, "memory.min", LimitText.OrMax(min), $"guarantee {LimitText.Bytes(min)} of memory");
        if (limits.MemoryReservation is { } low) plan.Write(Controller, "memory.low", LimitText.OrMax(low), $"reserve {LimitText.Bytes(low)} of memory");
        if (limits.MemoryHigh is { } high) plan.Write(Controller, "memory.high", LimitText.OrMax(high), $"slow down above {LimitText.Bytes(high)} of memory");
        if (limits.Memory is { } memory) plan.Write(Controller, Limit, LimitText.OrMax(memory), $"limit memory to {LimitText.Bytes(memory)}");
        if (limits.MemoryAndSwap is { } both) plan.Write(Controller, "memory.swap.max", LimitText.OrMax(Swap(both, limits.Memory)), $"limit memory and swap to {LimitText.Bytes(both)}");
        if (limits.ZswapBytes is { } zswap) plan.Write(Controller, "memory.zswap.max", LimitText.OrMax(zswap), $"limit compressed swap to {LimitText.Bytes(zswap)}");
        if (limits.OomKillsAll is { } all) plan.Write(Controller, "memory.oom.group", all ? "1" : "0", all ? "kill all where memory is short" : "kill one where memory is short");
        plan.Lacks(limits.MemorySwappiness is not null, nameof(limits.MemorySwappiness), "memory.swappiness is of v1; v2 has limits of swap (memory.swap.max)");
        plan.Lacks(limits.OomKillDisabled == true, nameof(limits.OomKillDisabled), "memory.oom_control is of v1; v2 has memory.high, which slows down and does not kill");
        plan.Lacks(limits.KernelTcpMemory is not null, nameof(limits.KernelTcpMemory), "memory.kmem.tcp.limit_in_bytes is of v1; v2 counts TCP buffers as memory");
    }

    /// <summary>v1 limits both together, v2 each alone.</summary>
    private static long Swap(long both, long? memory) => both == ResourceLimits.Unlimited || memory is null or ResourceLimits.Unlimited ? both : both - memory.Value;
}
