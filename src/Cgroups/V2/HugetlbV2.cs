namespace Isolation.Cgroups;

/// <summary>v2 <c>hugetlb</c> (Linux 5.6): Documentation/admin-guide/cgroup-v2.rst, "HugeTLB".</summary>
internal static class HugetlbV2
{
    internal static void Translate(LimitPlan plan, ResourceLimits limits)
    {
        foreach (HugetlbLimit limit in limits.Hugetlb)
            plan.Write(CgroupController.Hugetlb, $"hugetlb.{LimitText.PageSize(limit.PageSize)}.max", LimitText.OrMax(limit.Bytes), $"limit huge pages of {LimitText.PageSize(limit.PageSize)} to {LimitText.Bytes(limit.Bytes)}");
    }
}
