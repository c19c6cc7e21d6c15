namespace Isolation.Cgroups;

/// <summary>The files of <c>memory</c> (mm/memcontrol.c). The root group has only <c>memory.stat</c> and the pressure.</summary>
internal static class V2MemoryFiles
{
    internal static StatsFile[] All { get; } =
    [
        new("memory.current", static (file, text, draft) => draft.Memory.UsageFigure = SingleValue.Count(file, text)),
        new("memory.peak", static (file, text, draft) => draft.Memory.PeakFigure = SingleValue.Count(file, text)),
        new("memory.max", static (file, text, draft) => draft.Memory.LimitFigure = SingleValue.Limit(file, text)),
        new("memory.swap.current", static (file, text, draft) => draft.Memory.SwapUsageFigure = SingleValue.Count(file, text)),
        new("memory.swap.peak", static (file, text, draft) => draft.Memory.SwapPeakFigure = SingleValue.Count(file, text)),
        new("memory.swap.max", static (file, text, draft) => draft.Memory.SwapLimitFigure = SingleValue.Limit(file, text)),
        new("memory.swap.events", SwapEvents),
        new("memory.events", Events),
        new("memory.stat", Stat),
        new("memory.pressure", static (file, text, draft) => PressureText.Parse(file, text, ref draft.Pressure.MemoryPressure)),
    ];

    private static void SwapEvents(string file, ReadOnlySpan<byte> bytes, StatsDraft draft)
    {
        KernelText text = new(file, bytes);
        while (text.NextPair(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value))
        {
            if (key.SequenceEqual("max"u8)) draft.Memory.SwapLimitHitsFigure = text.Count(value);
            else if (key.SequenceEqual("fail"u8)) draft.Memory.SwapFailuresFigure = text.Count(value);
        }
    }

    private static void Events(string file, ReadOnlySpan<byte> bytes, StatsDraft draft)
    {
        KernelText text = new(file, bytes);
        ref CgroupMemoryStats memory = ref draft.Memory;
        while (text.NextPair(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value))
        {
            if (key.SequenceEqual("low"u8)) memory.LowEventsFigure = text.Count(value);
            else if (key.SequenceEqual("high"u8)) memory.HighEventsFigure = text.Count(value);
            else if (key.SequenceEqual("max"u8)) memory.LimitHitsFigure = text.Count(value);
            else if (key.SequenceEqual("oom"u8)) memory.OomEventsFigure = text.Count(value);
            else if (key.SequenceEqual("oom_kill"u8)) memory.OomKillsFigure = text.Count(value);
            else if (key.SequenceEqual("oom_group_kill"u8)) memory.OomGroupKillsFigure = text.Count(value);
        }
    }

    private static void Stat(string file, ReadOnlySpan<byte> bytes, StatsDraft draft)
    {
        KernelText text = new(file, bytes);
        ref CgroupMemoryStats memory = ref draft.Memory;
        while (text.NextPair(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value))
        {
            if (key.SequenceEqual("anon"u8)) memory.AnonymousFigure = text.Count(value);
            else if (key.SequenceEqual("file"u8)) memory.FileCacheFigure = text.Count(value);
            else if (key.SequenceEqual("kernel"u8)) memory.KernelFigure = text.Count(value);
            else if (key.SequenceEqual("shmem"u8)) memory.SharedMemoryFigure = text.Count(value);
            else if (key.SequenceEqual("inactive_file"u8)) memory.InactiveFileFigure = text.Count(value);
            else if (key.SequenceEqual("pgfault"u8)) memory.PageFaultsFigure = text.Count(value);
            else if (key.SequenceEqual("pgmajfault"u8)) memory.MajorPageFaultsFigure = text.Count(value);
        }

        if ((draft.Details & CgroupStatsDetails.MemoryStat) != 0) memory.Stat = new CgroupMemoryStat(bytes);
    }
}
