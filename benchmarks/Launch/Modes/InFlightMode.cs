using System.Diagnostics;
using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>Many launches at once from one caller.</summary>
internal static class InFlightMode
{
    private const int InFlight = 200;

    internal static async Task RunAsync(Options options, Report report)
    {
        using BusyboxRoot root = new();
        int rounds = options.Rounds ?? 5;
        List<string[]> rows = [];
        HashSet<string> reasons = [];
        foreach ((string name, ContainerBuilder builder) in ((string, ContainerBuilder)[])[("all but user and time", Specs.Headline(root)), ("default (all eight)", Specs.Default(root))])
            await RunAsync(name, builder.Build(), rounds, rows, reasons);
        report.Heading($"In flight: {InFlight} launches at once",
            $"All {InFlight} are asked for by one caller before the first is awaited. Asked for: no failure. Descriptors are counted before and after.");
        report.Table(["what", "round", "wall ms", "launches a second", "failures", "descriptors before", "after"], rows);
        foreach (string reason in reasons) report.Line($"- {reason}");
        report.Line();
    }

    private static async Task RunAsync(string name, ContainerSpec spec, int rounds, List<string[]> rows, HashSet<string> reasons)
    {
        await Specs.RunAsync(spec);
        for (int round = 1; round <= rounds; round++)
        {
            int before = Descriptors(), failures = 0;
            long start = Stopwatch.GetTimestamp();
            Task[] tasks = new Task[InFlight];
            for (int i = 0; i < InFlight; i++) tasks[i] = Specs.RunAsync(spec);
            foreach (Task task in tasks)
            {
                try
                {
                    await task;
                }
                catch (Exception exception)
                {
                    failures++;
                    reasons.Add(exception.Message.ReplaceLineEndings(" "));
                }
            }

            double wall = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            rows.Add([name, Text(round), Report.Number(wall), Report.Number(InFlight / wall * 1000), Text(failures), Text(before), Text(Descriptors())]);
        }
    }

    private static int Descriptors() => Directory.EnumerateFileSystemEntries("/proc/self/fd").Count();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
