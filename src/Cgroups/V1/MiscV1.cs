namespace Isolation.Cgroups;

/// <summary>v1 <c>misc</c>: Documentation/admin-guide/cgroup-v1/misc.rst.</summary>
internal static class MiscV1
{
    internal static void Translate(LimitPlan plan, ResourceLimits limits)
    {
        foreach (MiscLimit limit in limits.Misc) plan.Writes.Add(MiscLine.Write(limit));
    }
}
