namespace Isolation.Cgroups;

/// <summary>v1 <c>pids</c>: Documentation/admin-guide/cgroup-v1/pids.rst.</summary>
internal static class PidsV1
{
    internal static void Translate(LimitPlan plan, ResourceLimits limits)
    {
        if (limits.Pids is { } pids) plan.Write(CgroupController.Pids, "pids.max", LimitText.OrMax(pids), pids == ResourceLimits.Unlimited ? "allow any number of processes" : $"allow {pids} processes");
    }
}
