namespace Isolation.Cgroups;

/// <summary>The files of the <c>pids</c> controller, the same on both versions (kernel/cgroup/pids.c).</summary>
internal static class PidsFiles
{
    internal static StatsFile[] All { get; } =
    [
        new("pids.current", static (file, text, draft) => draft.Pids.CurrentFigure = SingleValue.Count(file, text)),
        new("pids.peak", static (file, text, draft) => draft.Pids.PeakFigure = SingleValue.Count(file, text)),
        new("pids.max", static (file, text, draft) => draft.Pids.LimitFigure = SingleValue.Limit(file, text)),
        new("pids.events", Events),
    ];

    private static void Events(string file, ReadOnlySpan<byte> bytes, StatsDraft draft)
    {
        KernelText text = new(file, bytes);
        while (text.NextPair(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value))
        {
            if (key.SequenceEqual("max"u8)) draft.Pids.LimitHitsFigure = text.Count(value);
        }
    }
}
