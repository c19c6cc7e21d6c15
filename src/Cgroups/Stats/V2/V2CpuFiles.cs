namespace Isolation.Cgroups;

/// <summary><c>cpu.stat</c>, which every group has; the lines about the quota come with the <c>cpu</c> controller (kernel/sched/core.c, kernel/cgroup/rstat.c).</summary>
internal static class V2CpuFiles
{
    internal static StatsFile[] All { get; } =
    [
        new("cpu.stat", Stat),
        new("cpu.pressure", static (file, text, draft) => PressureText.Parse(file, text, ref draft.Pressure.CpuPressure)),
        new("irq.pressure", static (file, text, draft) => PressureText.Parse(file, text, ref draft.Pressure.IrqPressure)),
    ];

    private static void Stat(string file, ReadOnlySpan<byte> bytes, StatsDraft draft)
    {
        KernelText text = new(file, bytes);
        ref CgroupCpuStats cpu = ref draft.Cpu;
        while (text.NextPair(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value))
        {
            if (key.SequenceEqual("usage_usec"u8)) cpu.UsageFigure = text.Microseconds(value);
            else if (key.SequenceEqual("user_usec"u8)) cpu.UserFigure = text.Microseconds(value);
            else if (key.SequenceEqual("system_usec"u8)) cpu.SystemFigure = text.Microseconds(value);
            else if (key.SequenceEqual("nr_periods"u8)) cpu.PeriodsFigure = text.Count(value);
            else if (key.SequenceEqual("nr_throttled"u8)) cpu.ThrottledPeriodsFigure = text.Count(value);
            else if (key.SequenceEqual("throttled_usec"u8)) cpu.ThrottledTimeFigure = text.Microseconds(value);
            else if (key.SequenceEqual("nr_bursts"u8)) cpu.BurstsFigure = text.Count(value);
            else if (key.SequenceEqual("burst_usec"u8)) cpu.BurstTimeFigure = text.Microseconds(value);
        }
    }
}
