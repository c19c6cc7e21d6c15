using System.Diagnostics;
using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>Launches a second with several callers, each of which starts the next when the one before has ended.</summary>
internal static class ThreadsMode
{
    private const int LaunchesACaller = 50;

    internal static async Task RunAsync(Options options, Report report)
    {
        using BusyboxRoot root = new();
        int rounds = options.Rounds ?? 5;
        ContainerSpec headline = Specs.Headline(root).Build();
        (string Name, Func<Task> Run)[] kinds =
        [
            ("all but user and time", () => Specs.RunAsync(headline)),
            ("no namespace", Specs.Run(Specs.Bare(root))),
            ("Process.Start, output captured", () => Tools.RunCapturedAsync(root.Program)),
        ];
        int[] callers = [1, 2, 4];
        Dictionary<(string, int), Samples> perSecond = [];
        foreach ((string name, _) in kinds)
            foreach (int count in callers) perSecond[(name, count)] = new();
        for (int round = -1; round < rounds; round++)
        {
            foreach ((string name, Func<Task> run) in kinds)
            {
                foreach (int count in callers)
                {
                    double rate = await RateAsync(run, count);
                    if (round >= 0) perSecond[(name, count)].Add(rate);
                }
            }

            Progress.Show(round, rounds);
        }

        report.Heading("Threads: launches a second", $"{LaunchesACaller} launches a caller, {rounds} rounds, interleaved; the median round. The machine has {Environment.ProcessorCount} processors.");
        report.Table(["what", .. callers.Select(count => string.Create(CultureInfo.InvariantCulture, $"{count} callers"))],
            kinds.Select(kind => (string[])[kind.Name, .. callers.Select(count => Report.Number(perSecond[(kind.Name, count)].Median))]));
    }

    private static async Task<double> RateAsync(Func<Task> run, int callers)
    {
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < LaunchesACaller; i++) await run();
        })));
        return callers * LaunchesACaller / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
