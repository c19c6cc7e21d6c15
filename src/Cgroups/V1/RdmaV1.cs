namespace Isolation.Cgroups;

/// <summary>v1 <c>rdma</c>: Documentation/admin-guide/cgroup-v1/rdma.rst.</summary>
internal static class RdmaV1
{
    internal static void Translate(LimitPlan plan, ResourceLimits limits)
    {
        foreach (RdmaLimit limit in limits.Rdma) plan.Writes.Add(RdmaLine.Write(limit));
    }
}
