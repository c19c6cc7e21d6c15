namespace Isolation.Cgroups;

/// <summary>v1 <c>hugetlb</c>: Documentation/admin-guide/cgroup-v1/hugetlb.rst.</summary>
internal static class HugetlbV1
{
    internal static void Translate(LimitPlan plan, ResourceLimits limits)
    {
        foreach (HugetlbLimit limit in limits.Hugetlb)
            plan.Write(CgroupController.Hugetlb, $"hugetlb.{LimitText.PageSize(limit.PageSize)}.limit_in_bytes", LimitText.OrMinusOne(limit.Bytes), $"limit huge pages of {LimitText.PageSize(limit.PageSize)} to {LimitText.Bytes(limit.Bytes)}");
    }
}
