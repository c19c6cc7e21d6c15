namespace Isolation.Cgroups;

/// <summary>v2 <c>pids</c>: Documentation/admin-guide/cgroup-v2.rst, "PID".</summary>
internal static class PidsV2
{
    internal static void Translate(LimitPlan plan, ResourceLimits limits)
    {
        if (limits.Pids is { } pids) plan.Write(CgroupController.Pids, "pids.max", LimitText.OrMax(pids), pids == ResourceLimits.Unlimited ? "allow any number of processes" : $"allow {pids} processes");
    }
}
