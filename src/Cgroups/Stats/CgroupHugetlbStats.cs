namespace Isolation.Cgroups;

/// <summary>
/// Huge pages of one size that a control group and those beneath it use, in bytes.
/// Kernel documents: admin-guide/cgroup-v1/hugetlb.rst, admin-guide/cgroup-v2.rst ("HugeTLB").
/// </summary>
public struct CgroupHugetlbStats
{
    internal Figure UsageFigure, PeakFigure, LimitFigure, LimitHitsFigure;

    internal CgroupHugetlbStats(long pageSize) => PageSize = pageSize;

    /// <summary>In bytes; the kernel has it in the names of the files, as <c>64KB</c>, <c>2MB</c>, <c>1GB</c>.</summary>
    public long PageSize { get; }

    /// <summary>v1 <c>hugetlb.2MB.usage_in_bytes</c>, v2 <c>hugetlb.2MB.current</c>.</summary>
    public readonly long? Usage => UsageFigure.Value;

    /// <summary>v1 <c>hugetlb.2MB.max_usage_in_bytes</c>; v2 has none.</summary>
    public readonly long? Peak => PeakFigure.Value;

    /// <summary>v1 <c>hugetlb.2MB.limit_in_bytes</c>, v2 <c>hugetlb.2MB.max</c>; <see cref="ResourceLimits.Unlimited"/> where none is set.</summary>
    public readonly long? Limit => LimitFigure.Value;

    /// <summary>How often a page was refused. v1 <c>hugetlb.2MB.failcnt</c>; v2 <c>hugetlb.2MB.events</c>, <c>max</c>.</summary>
    public readonly long? LimitHits => LimitHitsFigure.Value;
}
