namespace Isolation.Cgroups;

/// <summary>The files of <c>cpu</c> (kernel/sched/core.c) and <c>cpuacct</c> (kernel/sched/cpuacct.c).</summary>
internal static class V1CpuFiles
{
    // cpuacct.stat counts in USER_HZ, which is 100 on every architecture that .NET runs on, whatever the kernel's own clock does.
    private const long UserHertz = 100;

    internal static StatsFile[] Cpu { get; } = [new("cpu.stat", Stat)];

    internal static StatsFile[] Accounting { get; } =
    [
        new("cpuacct.usage", static (file, text, draft) => draft.Cpu.UsageFigure = SingleValue.Nanoseconds(file, text)),
        new("cpuacct.stat", Modes),
        new("cpuacct.usage_percpu", PerProcessor) { Detail = CgroupStatsDetails.PerProcessor },
    ];

    private static void Stat(string file, ReadOnlySpan<byte> bytes, StatsDraft draft)
    {
        KernelText text = new(file, bytes);
        while (text.NextPair(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value))
        {
            if (key.SequenceEqual("nr_periods"u8)) draft.Cpu.PeriodsFigure = text.Count(value);
            else if (key.SequenceEqual("nr_throttled"u8)) draft.Cpu.ThrottledPeriodsFigure = text.Count(value);
            else if (key.SequenceEqual("throttled_time"u8)) draft.Cpu.ThrottledTimeFigure = text.Nanoseconds(value);
            else if (key.SequenceEqual("nr_bursts"u8)) draft.Cpu.BurstsFigure = text.Count(value);
            else if (key.SequenceEqual("burst_time"u8)) draft.Cpu.BurstTimeFigure = text.Nanoseconds(value);
        }
    }

    private static void Modes(string file, ReadOnlySpan<byte> bytes, StatsDraft draft)
    {
        KernelText text = new(file, bytes);
        while (text.NextPair(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value))
        {
            if (key.SequenceEqual("user"u8)) draft.Cpu.UserFigure = text.Scaled(value, TimeSpan.TicksPerSecond / UserHertz);
            else if (key.SequenceEqual("system"u8)) draft.Cpu.SystemFigure = text.Scaled(value, TimeSpan.TicksPerSecond / UserHertz);
        }
    }

    private static void PerProcessor(string file, ReadOnlySpan<byte> bytes, StatsDraft draft)
    {
        KernelText text = new(file, bytes);
        if (!text.NextLine()) throw text.Malformed("a time");
        ReadOnlySpan<byte> rest = text.Line;
        List<TimeSpan> times = [];
        while (KernelText.NextWord(ref rest) is { IsEmpty: false } word) times.Add(new(text.Number(word) / TimeSpan.NanosecondsPerTick));
        draft.Cpu.PerProcessorTimes = [.. times];
    }
}
