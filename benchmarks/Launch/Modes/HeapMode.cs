using System.Diagnostics;
using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>
/// Two processes, one with a large live heap and one with a small one, take turns with a few launches each: a clone that
/// copied page tables, or a launch that made the collector walk the heap, would show.
/// </summary>
internal static class HeapMode
{
    internal const string ChildMode = "heap-child";
    private const int LaunchesATurn = 10;
    private const double Bound = 1.10;

    internal static async Task RunAsync(Options options, Report report)
    {
        int rounds = options.Rounds ?? 40;
        using Child small = new(1), large = new(options.HeapMebibytes);
        string smallHeap = await small.ReadyAsync(), largeHeap = await large.ReadyAsync();
        for (int round = -(options.Warmup ?? 5); round < rounds; round++)
        {
            // Who comes first changes, so that neither always follows the other.
            foreach (Child child in round % 2 == 0 ? [small, large] : (Child[])[large, small]) await child.TurnAsync(LaunchesATurn, counts: round >= 0);
            Progress.Show(round, rounds);
        }

        double ratio = large.Launches.Median / small.Launches.Median;
        report.Heading("Heap: the same launch with a large live heap",
            $"All namespaces but user and time, {rounds} turns of {LaunchesATurn} launches each, two processes in turn. Asked for: the median within 10 %.");
        report.Table(["host process", "min ms", "median ms", "p90 ms", "Process.Start median ms"],
        [
            Row($"small: {smallHeap}", small), Row($"large: {largeHeap}", large),
            ["**large ÷ small**", Report.Number(large.Launches.Min / small.Launches.Min), Report.Number(ratio), Report.Number(large.Launches.P90 / small.Launches.P90), Report.Number(large.Processes.Median / small.Processes.Median)],
        ]);
        report.Line($"{(ratio <= Bound ? "Within" : "**Not within**")} 10 %.");
        report.Line();
    }

    private static string[] Row(string name, Child child) =>
        [name, Report.Number(child.Launches.Min), Report.Number(child.Launches.Median), Report.Number(child.Launches.P90), Report.Number(child.Processes.Median)];

    private sealed class Child : IDisposable
    {
        private readonly Process _process;

        internal Child(int mebibytes)
        {
            string program = Environment.ProcessPath!;
            string[] prefix = Path.GetFileNameWithoutExtension(program) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];
            _process = Process.Start(new ProcessStartInfo(program, [.. prefix, ChildMode, "--heap-mib", mebibytes.ToString(CultureInfo.InvariantCulture)])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
        }

        internal Samples Launches { get; } = new();

        internal Samples Processes { get; } = new();

        internal Task<string> ReadyAsync() => LineAsync();

        internal async Task TurnAsync(int launches, bool counts)
        {
            await _process.StandardInput.WriteLineAsync(launches.ToString(CultureInfo.InvariantCulture));
            await _process.StandardInput.FlushAsync();
            double[] own = Numbers(await LineAsync()), processes = Numbers(await LineAsync());
            if (!counts) return;
            Launches.AddRange(own);
            Processes.AddRange(processes);
        }

        public void Dispose()
        {
            _process.StandardInput.Close();
            _process.WaitForExit();
            _process.Dispose();
        }

        private async Task<string> LineAsync() =>
            await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The child of the heap mode has ended early.");

        private static double[] Numbers(string line) => [.. line.Split(' ').Select(word => double.Parse(word, CultureInfo.InvariantCulture))];
    }
}
