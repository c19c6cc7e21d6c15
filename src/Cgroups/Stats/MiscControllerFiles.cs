namespace Isolation.Cgroups;

/// <summary>The files of the <c>misc</c> controller, the same on both versions (kernel/cgroup/misc.c).</summary>
internal static class MiscControllerFiles
{
    internal static StatsFile[] All { get; } =
    [
        new("misc.current", static (file, bytes, draft) =>
        {
            draft.Misc.Exists();
            KernelText text = new(file, bytes);
            while (text.NextPair(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)) draft.Misc[Named(text, name)].UsageFigure = text.Count(value);
        }),
        new("misc.peak", static (file, bytes, draft) =>
        {
            KernelText text = new(file, bytes);
            while (text.NextPair(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)) draft.Misc[Named(text, name)].PeakFigure = text.Count(value);
        }),
        new("misc.max", static (file, bytes, draft) =>
        {
            KernelText text = new(file, bytes);
            while (text.NextPair(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)) draft.Misc[Named(text, name)].LimitFigure = text.Limit(value);
        }),
    ];

    private static ReadOnlySpan<byte> Named(in KernelText text, ReadOnlySpan<byte> name) => name.IsEmpty ? throw text.Malformed("a name") : name;
}
