namespace Isolation.Cgroups;

/// <summary>The files of <c>memory</c> (mm/memcontrol-v1.c).</summary>
internal static class V1MemoryFiles
{
    internal static StatsFile[] All { get; } =
    [
        new("memory.usage_in_bytes", static (file, text, draft) => draft.Memory.UsageFigure = SingleValue.Count(file, text)),
        new("memory.max_usage_in_bytes", static (file, text, draft) => draft.Memory.PeakFigure = SingleValue.Count(file, text)),
        new("memory.limit_in_bytes", static (file, text, draft) => draft.Memory.LimitFigure = V1Limit.Parse(file, text)),
        new("memory.failcnt", static (file, text, draft) => draft.Memory.LimitHitsFigure = SingleValue.Count(file, text)),
        new("memory.memsw.usage_in_bytes", static (file, text, draft) => draft.Memory.MemorySwapUsageFigure = SingleValue.Count(file, text)),
        new("memory.memsw.max_usage_in_bytes", static (file, text, draft) => draft.Memory.MemorySwapPeakFigure = SingleValue.Count(file, text)),
        new("memory.memsw.limit_in_bytes", static (file, text, draft) => draft.Memory.MemorySwapLimitFigure = V1Limit.Parse(file, text)),
        new("memory.memsw.failcnt", static (file, text, draft) => draft.Memory.MemorySwapLimitHitsFigure = SingleValue.Count(file, text)),
        new("memory.kmem.usage_in_bytes", static (file, text, draft) => draft.Memory.KernelFigure = SingleValue.Count(file, text)),
        new("memory.oom_control", OomControl),
        new("memory.stat", Stat),
    ];

    private static void OomControl(string file, ReadOnlySpan<byte> bytes, StatsDraft draft)
    {
        KernelText text = new(file, bytes);
        while (text.NextPair(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value))
        {
            if (key.SequenceEqual("under_oom"u8)) draft.Memory.UnderOomFigure = text.Count(value);
            else if (key.SequenceEqual("oom_kill"u8)) draft.Memory.OomKillsFigure = text.Count(value);
        }
    }

    private static void Stat(string file, ReadOnlySpan<byte> bytes, StatsDraft draft)
    {
        KernelText text = new(file, bytes);
        ref CgroupMemoryStats memory = ref draft.Memory;
        while (text.NextPair(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value))
        {
            if (!key.StartsWith("total_"u8)) continue; // those without are of this group alone
            key = key["total_".Length..];
            if (key.SequenceEqual("rss"u8)) memory.AnonymousFigure = text.Count(value);
            else if (key.SequenceEqual("cache"u8)) memory.FileCacheFigure = text.Count(value);
            else if (key.SequenceEqual("shmem"u8)) memory.SharedMemoryFigure = text.Count(value);
            else if (key.SequenceEqual("swap"u8)) memory.SwapUsageFigure = text.Count(value);
            else if (key.SequenceEqual("inactive_file"u8)) memory.InactiveFileFigure = text.Count(value);
            else if (key.SequenceEqual("pgfault"u8)) memory.PageFaultsFigure = text.Count(value);
            else if (key.SequenceEqual("pgmajfault"u8)) memory.MajorPageFaultsFigure = text.Count(value);
        }

        if ((draft.Details & CgroupStatsDetails.MemoryStat) != 0) memory.Stat = new CgroupMemoryStat(bytes);
    }
}
