namespace Isolation.Cgroups;

/// <summary>The files of <c>hugetlb</c>, three for each size of page that the machine has (mm/hugetlb_cgroup.c). The root group has none.</summary>
internal static class V2HugetlbFiles
{
    // "hugetlb.2MB.rsvd.current" ends so too; "2MB.rsvd" is no size.
    internal static StatsFile[] In(IEnumerable<string> names) =>
        [.. names.Order(StringComparer.Ordinal).SelectMany(name => HugePageSize.TryParse(name, ".current", out string size, out long bytes) ? Of(size, bytes) : [])];

    private static StatsFile[] Of(string size, long bytes) =>
    [
        new($"hugetlb.{size}.current", (file, text, draft) => draft.Hugetlb[bytes].UsageFigure = SingleValue.Count(file, text)),
        new($"hugetlb.{size}.max", (file, text, draft) => draft.Hugetlb[bytes].LimitFigure = SingleValue.Limit(file, text)),
        new($"hugetlb.{size}.events", (file, text, draft) => Events(file, text, draft, bytes)),
    ];

    private static void Events(string file, ReadOnlySpan<byte> bytes, StatsDraft draft, long pageSize)
    {
        KernelText text = new(file, bytes);
        while (text.NextPair(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value))
        {
            if (key.SequenceEqual("max"u8)) draft.Hugetlb[pageSize].LimitHitsFigure = text.Count(value);
        }
    }
}
