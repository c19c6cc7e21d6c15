using System.Diagnostics;
using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>A thousand containers that sleep, all at once; and the end of one with a thousand processes.</summary>
internal static class CrowdMode
{
    private const int Crowd = 1000;

    internal static async Task RunAsync(Options options, Report report)
    {
        using BusyboxRoot root = new();
        foreach (string name in (ReadOnlySpan<string>)["sleep", "sh"]) root.Link(name);
        int rounds = options.Rounds ?? 3;
        await CrowdAsync(report, root, rounds);
        await KillAsync(report, root, rounds);
    }

    private static async Task CrowdAsync(Report report, BusyboxRoot root, int rounds)
    {
        List<string[]> rows = [];
        ContainerSpec spec = Specs.Headline(root).WithCommand("/bin/sleep", "1000000").Build();
        for (int round = 1; round <= rounds; round++)
        {
            rows.Add(await ProcessesAsync(Path.Join(root.Path, "bin/sleep"), round));
            rows.Add(await ContainersAsync("Isolation, all but user and time", spec, round));
        }

        report.Heading($"Crowd: {Crowd} that sleep, at once",
            "All are asked for by one caller before the first is awaited, and all are killed likewise and waited for. Heap is the managed heap after a full collection, divided by their number; "
            + "asked for: at most 20 KiB each, and threads that do not grow with containers.");
        report.Table(["what", "round", "start all ms", "stop all ms", "heap KiB each", "threads before", "threads with all", "descriptors each"], rows);
    }

    private static async Task<string[]> ContainersAsync(string name, ContainerSpec spec, int round)
    {
        await (await spec.StartAsync()).DisposeAsync();
        (long heap, int threads, int descriptors) = Counts();
        long start = Stopwatch.GetTimestamp();
        Task<Container>[] starting = new Task<Container>[Crowd];
        for (int i = 0; i < Crowd; i++) starting[i] = spec.StartAsync();
        Container[] containers = await Task.WhenAll(starting);
        double started = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        starting = [];
        (long heapWith, int threadsWith, int descriptorsWith) = Counts();
        start = Stopwatch.GetTimestamp();
        await Task.WhenAll(containers.Select(container => container.DisposeAsync().AsTask()));
        double stopped = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        return Row(name, round, started, stopped, (heapWith - heap) / 1024.0 / Crowd, threads, threadsWith, (descriptorsWith - descriptors) / (double)Crowd);
    }

    private static async Task<string[]> ProcessesAsync(string program, int round)
    {
        (long heap, int threads, int descriptors) = Counts();
        long start = Stopwatch.GetTimestamp();
        Process[] processes = [.. Enumerable.Range(0, Crowd).Select(_ => Process.Start(new ProcessStartInfo(program, ["1000000"]) { RedirectStandardOutput = true, RedirectStandardError = true })!)];
        double started = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        (long heapWith, int threadsWith, int descriptorsWith) = Counts();
        start = Stopwatch.GetTimestamp();
        foreach (Process process in processes) process.Kill();
        await Task.WhenAll(processes.Select(process => process.WaitForExitAsync()));
        double stopped = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        foreach (Process process in processes) process.Dispose();
        return Row("Process.Start", round, started, stopped, (heapWith - heap) / 1024.0 / Crowd, threads, threadsWith, (descriptorsWith - descriptors) / (double)Crowd);
    }

    private static string[] Row(string name, int round, double started, double stopped, double heap, int threads, int threadsWith, double descriptors) =>
    [
        name, Text(round), Report.Number(started), Report.Number(stopped), Report.Number(heap), Text(threads), Text(threadsWith), Report.Number(descriptors),
    ];

    private static async Task KillAsync(Report report, BusyboxRoot root, int rounds)
    {
        string script = $"i=0; while [ $i -lt {Crowd - 1} ]; do sleep 1000000 & i=$((i+1)); done; echo ready; wait";
        ContainerSpec spec = Specs.Headline(root).WithCommand("/bin/sh", "-c", script).WithOutput(OutputTarget.Pipe).Build();
        Samples container = new(), process = new();
        for (int round = 0; round < rounds; round++)
        {
            await using Container one = await spec.StartAsync();
            await one.StandardOutput.ReadExactlyAsync(new byte[5]);
            long start = Stopwatch.GetTimestamp();
            await one.KillAsync();
            container.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);

            using Process other = Process.Start(new ProcessStartInfo(Path.Join(root.Path, "bin/sh"), ["-c", $"PATH={Path.Join(root.Path, "bin")}; {script}"]) { RedirectStandardOutput = true })!;
            await other.StandardOutput.BaseStream.ReadExactlyAsync(new byte[5]);
            start = Stopwatch.GetTimestamp();
            other.Kill(entireProcessTree: true);
            await other.WaitForExitAsync();
            process.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        report.Heading($"Kill: a tree of {Crowd} processes", "From the call until the first process is gone, with which the kernel has ended all others of its pid namespace. Process.Kill(entireProcessTree) waits for the first only.");
        report.Table(["what", "min ms", "median ms", "median ÷"],
        [
            ["Process.Kill(entireProcessTree: true)", Report.Number(process.Min), Report.Number(process.Median), "1.00"],
            ["**Container.KillAsync**", Report.Number(container.Min), Report.Number(container.Median), Report.Number(container.Median / process.Median)],
        ]);
    }

    private static (long Heap, int Threads, int Descriptors) Counts()
    {
        long heap = GC.GetTotalMemory(forceFullCollection: true);
        return (heap, Directory.EnumerateFileSystemEntries("/proc/self/task").Count(), Directory.EnumerateFileSystemEntries("/proc/self/fd").Count());
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
