namespace Isolation.Benchmarks;

/// <summary>Managed bytes a launch.</summary>
internal static class AllocationsMode
{
    internal static async Task RunAsync(Options options, Report report)
    {
        using BusyboxRoot root = new();
        int rounds = options.Rounds ?? 200;
        ContainerSpec headline = Specs.Headline(root).Build(), eight = Specs.Default(root).Build(), host = Specs.Host().Build();
        (string Name, Func<Task> Run)[] entries =
        [
            ("all but user and time, one spec", () => Specs.RunAsync(headline)),
            ("all but user and time, a new builder each time", () => Specs.RunAsync(Specs.Headline(root).Build())),
            ("default (all eight), one spec", () => Specs.RunAsync(eight)),
            ("FromHost, one spec", () => Specs.RunAsync(host)),
            ("FromHost, a new builder each time", () => Specs.RunAsync(Specs.Host().Build())),
            ("no namespace, one spec", Specs.Run(Specs.Bare(root))),
            ("Process.Start, output captured", () => Tools.RunCapturedAsync(root.Program)),
        ];
        report.Heading("Allocations: managed bytes a launch", $"GC.GetTotalAllocatedBytes over {rounds} launches, all threads. Asked for: at most 16,384 for a spec that is used again.");
        List<string[]> rows = [];
        foreach ((string name, Func<Task> run) in entries)
        {
            for (int i = 0; i < (options.Warmup ?? 20); i++) await run();
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < rounds; i++) await run();
            rows.Add([name, Report.Count((double)(GC.GetTotalAllocatedBytes(precise: true) - before) / rounds)]);
        }

        report.Table(["what", "bytes"], rows);
        await TypesAsync(report, headline, "all but user and time, one spec", rounds * 5);
        await TypesAsync(report, host, "FromHost, one spec", rounds);
    }

    private static async Task TypesAsync(Report report, ContainerSpec spec, string name, int launches)
    {
        using AllocationSampler sampler = new();
        for (int i = 0; i < launches; i++) await Specs.RunAsync(spec);
        (IReadOnlyList<(string Type, double Share)> types, int samples) = sampler.Stop();
        if (samples == 0)
        {
            report.Line($"By type, {name}: the runtime gave no sample.");
            report.Line();
            return;
        }

        report.Line($"By type, {name} ({samples} samples of the runtime over {launches} launches):");
        report.Line();
        report.Table(["type", "share"], types.Take(16).Select(type => (string[])[$"`{type.Type}`", $"{type.Share * 100:F0} %"]));
    }
}
