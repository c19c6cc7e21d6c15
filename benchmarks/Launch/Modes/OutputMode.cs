using System.Diagnostics;

namespace Isolation.Benchmarks;

/// <summary>How soon a program's first byte is there, and how fast its output comes, beside a plain Process pipe.</summary>
internal static class OutputMode
{
    private const int Mebibytes = 256;

    internal static async Task RunAsync(Options options, Report report)
    {
        using BusyboxRoot root = new();
        foreach (string name in (ReadOnlySpan<string>)["echo", "dd"]) root.Link(name);
        await FirstByteAsync(options, report, root);
        await ThroughputAsync(options, report, root);
    }

    private static async Task FirstByteAsync(Options options, Report report, BusyboxRoot root)
    {
        Samples process = new(), container = new();
        ContainerSpec spec = Specs.Headline(root).WithCommand("/bin/echo", "x").WithOutput(OutputTarget.Pipe).Build();
        Entry first = new("Process.Start", () => ProcessFirstByteAsync(Path.Join(root.Path, "bin/echo"), process));
        Entry second = new("**Isolation, all but user and time**", () => ContainerFirstByteAsync(spec, container));
        await Interleaved.RunAsync([first, second], options.Warmup ?? 30, options.Rounds ?? 200);
        report.Heading("First byte: from the call that starts `echo x` until its first byte is read", $"Interleaved, {first.Samples.Count} rounds after the first 30.");
        report.Table(["what", "min ms", "median ms", "p90 ms", "median ÷", "min ÷"],
        [
            ["Process.Start", Report.Number(process.Min), Report.Number(process.Median), Report.Number(process.P90), "1.00", "1.00"],
            ["**Isolation, all but user and time**", Report.Number(container.Min), Report.Number(container.Median), Report.Number(container.P90), Report.Number(container.Median / process.Median), Report.Number(container.Min / process.Min)],
        ]);
        foreach (Entry entry in (ReadOnlySpan<Entry>)[first, second])
            if (entry.Failure is not null) report.Line($"- {entry.Name}: {entry.Failure}");
    }

    private static async Task ProcessFirstByteAsync(string program, Samples samples)
    {
        long start = Stopwatch.GetTimestamp();
        using Process process = Process.Start(new ProcessStartInfo(program, ["x"]) { RedirectStandardOutput = true })!;
        await process.StandardOutput.BaseStream.ReadExactlyAsync(new byte[1]);
        samples.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        await process.WaitForExitAsync();
    }

    private static async Task ContainerFirstByteAsync(ContainerSpec spec, Samples samples)
    {
        long start = Stopwatch.GetTimestamp();
        await using Container container = await spec.StartAsync();
        await container.StandardOutput.ReadExactlyAsync(new byte[1]);
        samples.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        await container.WaitAsync();
    }

    private static async Task ThroughputAsync(Options options, Report report, BusyboxRoot root)
    {
        string[] command = ["/bin/dd", "if=/dev/zero", "bs=65536", $"count={Mebibytes * 16}"];
        int limit = (Mebibytes << 20) + 1;
        ContainerSpec captured = Specs.Headline(root).WithCommand(command).WithError(OutputTarget.Discard).WithOutputLimit(limit).Build();
        ContainerSpec piped = Specs.Headline(root).WithCommand(command).WithError(OutputTarget.Discard).WithOutput(OutputTarget.Pipe).Build();
        string program = Path.Join(root.Path, "bin/dd");
        List<Entry> entries =
        [
            new("Process pipe, copied to memory", () => ProcessAsync(program, command[1..], new MemoryStream())),
            new("**Isolation, captured**", () => CapturedAsync(captured)),
            new("Process pipe, read and dropped", () => ProcessAsync(program, command[1..], Stream.Null)),
            new("Isolation, StandardOutput read and dropped", () => PipedAsync(piped)),
        ];
        await Interleaved.RunAsync(entries, 3, options.Rounds ?? 20);
        report.Heading($"Throughput: {Mebibytes} MiB of output", "From the start of `dd` until all is there. Asked for: captured output at 0.95 of a plain Process pipe at least. `÷` is throughput beside the line above of the same kind.");
        report.Table(["what", "best MiB/s", "median MiB/s", "median ÷", "best ÷"], entries.Select((entry, index) => Row(entry, entries[index & ~1])));
        foreach (Entry entry in entries.Where(entry => entry.Failure is not null)) report.Line($"- {entry.Name}: {entry.Failure}");
        report.Line();
    }

    private static string[] Row(Entry entry, Entry baseline) => entry.Failure is not null
        ? [entry.Name, "not measured", "", "", ""]
        :
        [
            entry.Name, Report.Number(Mebibytes / entry.Samples.Min * 1000), Report.Number(Mebibytes / entry.Samples.Median * 1000),
            Report.Number(baseline.Samples.Median / entry.Samples.Median), Report.Number(baseline.Samples.Min / entry.Samples.Min),
        ];

    private static async Task ProcessAsync(string program, string[] arguments, Stream target)
    {
        ProcessStartInfo start = new("/bin/sh", ["-c", "exec \"$@\" 2>/dev/null", "sh", program, .. arguments]) { RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        await process.StandardOutput.BaseStream.CopyToAsync(target);
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"exit code {process.ExitCode}");
        if (target is MemoryStream memory && memory.Length != (long)Mebibytes << 20) throw new InvalidOperationException($"{memory.Length} bytes came");
    }

    private static async Task CapturedAsync(ContainerSpec spec)
    {
        ContainerResult result = await spec.RunAsync();
        if (result.ExitCode != 0 || result.StandardOutputBytes.Length != Mebibytes << 20) throw new InvalidOperationException($"{result}, {result.StandardOutputBytes.Length} bytes");
    }

    private static async Task PipedAsync(ContainerSpec spec)
    {
        await using Container container = await spec.StartAsync();
        await container.StandardOutput.CopyToAsync(Stream.Null);
        await container.WaitAsync();
    }
}
