namespace Isolation.Benchmarks;

/// <summary>A further <c>/bin/true</c> in a container that runs, all in one run.</summary>
internal static class ExecMode
{
    internal static async Task RunAsync(Options options, Report report)
    {
        using BusyboxRoot root = new();
        root.Link("sleep");
        await using Container headline = await Specs.Headline(root).WithCommand("/bin/sleep", "1000000").StartAsync();
        await using Container all = await Specs.Default(root).WithCommand("/bin/sleep", "1000000").StartAsync();
        Entry baseline = new("Process.Start, output captured", () => Tools.RunCapturedAsync(root.Program));
        Entry plain = new("Process.Start, output not redirected", () => Tools.RunAsync(root.Program));
        ExecBuilder reused = headline.NewProcess().WithCommand("/bin/true");
        List<Entry> entries =
        [
            baseline,
            plain,
            new("**Isolation, ExecAsync, all but user and time**", () => ExecAsync(headline)),
            new("Isolation, one ExecBuilder used again", () => CheckAsync(reused.RunAsync())),
            new("Isolation, ExecAsync, default (all eight)", () => ExecAsync(all)),
            EnteringTool("nsenter, all but user and time", "nsenter", ["--target", $"{headline.ProcessId}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--", "/bin/true"]),
        ];
        await using RuntimeContainers runtimes = new(root);
        entries.AddRange(await runtimes.EntriesAsync());
        if (options.Only is { } only)
            entries = [.. entries.Where(entry => entry == baseline || entry == plain || entry.Name.Contains(only, StringComparison.OrdinalIgnoreCase))];

        int rounds = options.Rounds ?? 200;
        await Interleaved.RunAsync(entries, options.Warmup ?? 30, rounds);
        report.Heading("Exec: a further `/bin/true` in a running container",
            $"busybox, from a running .NET process, {rounds} rounds, interleaved; both streams captured. Asked for: at most 2.0 times Process.Start.");
        report.Table(["what", "min ms", "median ms", "p90 ms", "median ÷", "min ÷"], entries.Select(entry => Row(entry, baseline)));
        foreach (Entry entry in entries.Where(entry => entry.Failure is not null)) report.Line($"- {entry.Name}: {entry.Failure}");
        report.Line();
    }

    private static Entry EnteringTool(string name, string tool, IReadOnlyList<string> arguments) =>
        Tools.Find(tool) is { } path ? new Entry(name, () => Tools.RunCapturedAsync(path, arguments)) : Entry.Missing(name, $"{tool} is not installed");

    private static Task ExecAsync(Container container) => CheckAsync(container.ExecAsync("/bin/true"));

    private static async Task CheckAsync(Task<ContainerResult> run)
    {
        ContainerResult result = await run;
        if (result.ExitCode != 0) throw new InvalidOperationException($"{result}: {result.StandardError}");
    }

    private static string[] Row(Entry entry, Entry baseline)
    {
        if (entry.Failure is not null) return [entry.Name, "not measured", "", "", "", ""];
        Samples samples = entry.Samples;
        return
        [
            entry.Name, Report.Number(samples.Min), Report.Number(samples.Median), Report.Number(samples.P90),
            Report.Number(samples.Median / baseline.Samples.Median), Report.Number(samples.Min / baseline.Samples.Min),
        ];
    }
}
