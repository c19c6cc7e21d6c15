namespace Isolation.Cgroups;

/// <summary>v1 <c>cpuset</c>: Documentation/admin-guide/cgroup-v1/cpusets.rst.</summary>
internal static class CpusetV1
{
    internal const string Cpus = "cpuset.cpus", Mems = "cpuset.mems";
    private const CgroupController Controller = CgroupController.Cpuset;

    internal static void Translate(LimitPlan plan, ResourceLimits limits)
    {
        if (limits.CpusetCpus is { } cpus) plan.Write(Controller, Cpus, cpus, $"run on processors {cpus}");
        if (limits.CpusetMems is { } mems) plan.Write(Controller, Mems, mems, $"take memory from nodes {mems}");
        plan.Lacks(limits.CpusetPartition is not (null or CpusetPartition.Member), nameof(limits.CpusetPartition), "partitions are of v2 (cpuset.cpus.partition); v1 shares processors");
    }

    /// <summary>A parent that has none has none to give: EACCES for its children's, and ENOSPC for who joins them. Of hierarchies without the controller nothing is written.</summary>
    internal static void Fill(GroupDirectory group, GroupDirectory above)
    {
        foreach (string file in (ReadOnlySpan<string>)[Cpus, Mems])
            if (group.TryRead(file) is "") group.TryWrite(file, above.TryRead(file) ?? "");
    }

    /// <summary>A new group has none, and takes no process before it has some (cpuset_can_attach: ENOSPC): it gets its parent's.</summary>
    internal static void Inherit(LimitPlan plan, ResourceLimits limits, string parentCpus, string parentMems)
    {
        if (limits.CpusetCpus is null) plan.Write(Controller, Cpus, parentCpus, "run on the parent's processors");
        if (limits.CpusetMems is null) plan.Write(Controller, Mems, parentMems, "take memory from the parent's nodes");
    }
}
