namespace Isolation.Benchmarks;

/// <summary>Start-to-exit of <c>/bin/true</c>, all in one run.</summary>
internal static class PeersMode
{
    internal static async Task RunAsync(Options options, Report report)
    {
        using BusyboxRoot root = new();
        Entry baseline = new("Process.Start, output captured", () => Tools.RunCapturedAsync(root.Program));
        Entry plain = new("Process.Start, output not redirected", () => Tools.RunAsync(root.Program));
        List<Entry> entries =
        [
            baseline,
            plain,
            new("Process.Start, not redirected, blocking wait", () => Tools.RunBlocking(root.Program)),
            new("Isolation, no namespace", Specs.Run(Specs.Bare(root))),
            new("**Isolation, all but user and time**", Specs.Run(Specs.Headline(root))),
            new("Isolation, all but user and time, blocking wait", Specs.RunBlocking(Specs.Headline(root))),
            new("Isolation, default (all eight)", Specs.Run(Specs.Default(root))),
            new("Isolation, FromHost (all eight)", Specs.Run(Specs.Host())),
            .. Peers.All(root),
        ];
        if (options.Only is { } only)
            entries = [.. entries.Where(entry => entry == baseline || entry == plain || entry.Name.Contains(only, StringComparison.OrdinalIgnoreCase))];

        int rounds = options.Rounds ?? 200;
        await Interleaved.RunAsync(entries, options.Warmup ?? 30, rounds);
        report.Heading("Peers: start to exit of `/bin/true`",
            $"busybox, from a running .NET process, {rounds} rounds, interleaved; both streams captured unless it says otherwise. "
            + "`÷` columns divide by Process.Start with captured output; the last one by Process.Start without redirection."
            + (WithoutUnifiedHierarchy.IsApplied ? " Run in a mount namespace in which `/sys/fs/cgroup/unified` is not mounted, because crun refuses it." : ""));
        report.Table(["what", "min ms", "median ms", "p90 ms", "median ÷", "min ÷", "median ÷ not redirected"], entries.Select(entry => Row(entry, baseline, plain)));
        foreach (Entry entry in entries.Where(entry => entry.Failure is not null)) report.Line($"- {entry.Name}: {entry.Failure}");
        report.Line();
    }

    private static string[] Row(Entry entry, Entry baseline, Entry plain)
    {
        if (entry.Failure is not null) return [entry.Name, "not measured", "", "", "", "", ""];
        Samples samples = entry.Samples;
        return
        [
            entry.Name, Report.Number(samples.Min), Report.Number(samples.Median), Report.Number(samples.P90),
            Report.Number(samples.Median / baseline.Samples.Median), Report.Number(samples.Min / baseline.Samples.Min),
            Report.Number(samples.Median / plain.Samples.Median),
        ];
    }
}
