namespace Isolation.Cgroups;

/// <summary>v2 <c>misc</c> (Linux 5.13): Documentation/admin-guide/cgroup-v2.rst, "Misc".</summary>
internal static class MiscV2
{
    internal static void Translate(LimitPlan plan, ResourceLimits limits)
    {
        foreach (MiscLimit limit in limits.Misc) plan.Writes.Add(MiscLine.Write(limit));
    }
}
