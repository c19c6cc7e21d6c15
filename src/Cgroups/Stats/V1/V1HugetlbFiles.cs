namespace Isolation.Cgroups;

/// <summary>The files of <c>hugetlb</c>, four for each size of page that the machine has (mm/hugetlb_cgroup.c).</summary>
internal static class V1HugetlbFiles
{
    /// <param name="names">Of the files in the group's directory.</param>
    internal static StatsFile[] In(IEnumerable<string> names) =>
        [.. names.Order(StringComparer.Ordinal).SelectMany(name => HugePageSize.TryParse(name, ".usage_in_bytes", out string size, out long bytes) ? Of(size, bytes) : [])];

    private static StatsFile[] Of(string size, long bytes) =>
    [
        new($"hugetlb.{size}.usage_in_bytes", (file, text, draft) => draft.Hugetlb[bytes].UsageFigure = SingleValue.Count(file, text)),
        new($"hugetlb.{size}.max_usage_in_bytes", (file, text, draft) => draft.Hugetlb[bytes].PeakFigure = SingleValue.Count(file, text)),
        new($"hugetlb.{size}.limit_in_bytes", (file, text, draft) => draft.Hugetlb[bytes].LimitFigure = V1Limit.Parse(file, text, bytes)),
        new($"hugetlb.{size}.failcnt", (file, text, draft) => draft.Hugetlb[bytes].LimitHitsFigure = SingleValue.Count(file, text)),
    ];
}
