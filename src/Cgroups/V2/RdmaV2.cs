namespace Isolation.Cgroups;

/// <summary>v2 <c>rdma</c>: Documentation/admin-guide/cgroup-v2.rst, "RDMA".</summary>
internal static class RdmaV2
{
    internal static void Translate(LimitPlan plan, ResourceLimits limits)
    {
        foreach (RdmaLimit limit in limits.Rdma) plan.Writes.Add(RdmaLine.Write(limit));
    }
}
