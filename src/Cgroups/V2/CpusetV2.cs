namespace Isolation.Cgroups;

/// <summary>v2 <c>cpuset</c>: Documentation/admin-guide/cgroup-v2.rst, "Cpuset". What is not said is the parent's.</summary>
internal static class CpusetV2
{
    private const CgroupController Controller = CgroupController.Cpuset;

    internal static void Translate(LimitPlan plan, ResourceLimits limits)
    {
        if (limits.CpusetCpus is { } cpus) plan.Write(Controller, "cpuset.cpus", cpus, $"run on processors {cpus}");
        if (limits.CpusetMems is { } mems) plan.Write(Controller, "cpuset.mems", mems, $"take memory from nodes {mems}");

        // The kernel takes it back later where it cannot be: what it reads as is its answer, "root invalid (reason)".
        if (limits.CpusetPartition is { } partition)
            plan.Writes.Add(new(Controller, "cpuset.cpus.partition", partition.ToString().ToLowerInvariant(), "keep the processors") { Undo = before => before.Split(' ')[0], Check = after => after.Contains("invalid", StringComparison.Ordinal) ? after : null });
    }
}
