namespace Isolation.Cgroups;

/// <summary>v1 <c>net_prio</c>: Documentation/admin-guide/cgroup-v1/net_prio.rst.</summary>
internal static class NetPrioV1
{
    internal static void Translate(LimitPlan plan, ResourceLimits limits)
    {
        foreach (NetPriorityLimit limit in limits.NetPriorities)
        {
            plan.Writes.Add(new(CgroupController.NetPriority, "net_prio.ifpriomap", $"{limit.Interface} {LimitText.Of(limit.Priority)}", $"send over {limit.Interface} with priority {limit.Priority}")
            {
                Undo = before => KeyedLine.Find(before, limit.Interface),
            });
        }
    }
}
