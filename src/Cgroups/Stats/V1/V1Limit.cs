namespace Isolation.Cgroups;

/// <summary>
/// Limits in bytes. v1 has no word for none: it shows the greatest number of pages that it can count (PAGE_COUNTER_MAX),
/// rounded down to whole huge pages where the limit is of those. The kernel compares pages, so none above it can be met.
/// </summary>
internal static class V1Limit
{
    private const long LargestBasePage = 64 << 10; // of all that arm64 can be built with

    /// <param name="file">The file's name.</param>
    /// <param name="text">Its text.</param>
    /// <param name="pageSize">Of the pages that are limited.</param>
    internal static Figure Parse(string file, ReadOnlySpan<byte> text, long pageSize = LargestBasePage)
    {
        Figure limit = SingleValue.Count(file, text);
        return limit.Value > long.MaxValue - Math.Max(pageSize, LargestBasePage) ? new(ResourceLimits.Unlimited) : limit;
    }
}
