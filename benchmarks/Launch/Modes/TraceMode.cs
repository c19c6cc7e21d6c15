using Isolation.Launch;

namespace Isolation.Benchmarks;

/// <summary>
/// Where the time of a launch goes. strace stops the child twice at every call, which costs more than most calls; a plan
/// is data, so it is given a clock_gettime before each step instead, and the child writes the clocks to its standard
/// output before it executes the program. The clock is the one that Stopwatch reads.
/// </summary>
internal static class TraceMode
{
    private const int Shown = 25;

    internal static async Task RunAsync(Options options, Report report)
    {
        using BusyboxRoot root = new();
        ContainerSpec spec = (options.Spec switch
        {
            "headline" => Specs.Headline(root),
            "default" => Specs.Default(root),
            "host" => Specs.Host(),
            "bare" => Specs.Bare(root),
            _ => throw new ArgumentException($"Unknown spec '{options.Spec}'."),
        }).Build();
        int rounds = options.Rounds ?? 200, warmup = options.Warmup ?? 20;
        using ClockedLaunch launch = new(spec);
        Samples[] stages = [.. ClockedLaunch.Stages.Select(_ => new Samples())];
        Samples[] steps = [.. launch.Plan.Steps.Select(_ => new Samples())];
        Samples gather = new();
        for (int round = -warmup; round < rounds; round++)
        {
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            spec.Compile();
            double gathered = System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            ClockReading reading = await launch.RunAsync();
            Progress.Show(round, rounds);
            if (round < 0) continue;
            gather.Add(gathered);
            for (int i = 0; i < stages.Length; i++) stages[i].Add(reading.Stages[i]);
            for (int i = 0; i < steps.Length; i++)
                if (!double.IsNaN(reading.Steps[i])) steps[i].Add(reading.Steps[i]);
        }

        report.Heading($"Trace: where a launch's time goes ({options.Spec})",
            $"{rounds} launches one after the other; each step with the clock read before it. The clocks themselves add about {Report.Number(ClockCost(steps))} ms in all.");
        report.Table(["stage", "min µs", "median µs", "p90 µs"],
            ClockedLaunch.Stages.Select((name, index) => Row(name, stages[index])).Prepend(Row("(before: gather the inputs and compare them with the compiled image)", gather)));
        report.Line($"The {Shown} slowest steps of {steps.Count(step => step.Count > 0)}:");
        report.Line();
        report.Table(["step", "min µs", "median µs", "p90 µs", "share of the plan"], Enumerable.Range(0, steps.Length)
            .Where(index => steps[index].Count > 0).OrderByDescending(index => steps[index].Median).Take(Shown)
            .Select(index => (string[])[.. Row($"{index} {StepText(launch.Plan.Steps[index])}", steps[index]), Share(steps[index].Median, steps)]));
        report.Line("By purpose:");
        report.Line();
        report.Table(["purpose", "steps", "median µs", "share of the plan"], Enumerable.Range(0, steps.Length)
            .Where(index => steps[index].Count > 0).GroupBy(index => launch.Plan.Steps[index].Purpose)
            .Select(group => (Purpose: group.Key, Steps: group.Count(), Sum: group.Sum(index => steps[index].Median)))
            .OrderByDescending(group => group.Sum).Take(Shown)
            .Select(group => (string[])[group.Purpose, Report.Count(group.Steps), Micro(group.Sum), Share(group.Sum, steps)]));
    }

    // The cheapest step is hardly more than the clock that is read for it.
    private static double ClockCost(Samples[] steps)
    {
        double[] medians = [.. steps.Where(step => step.Count > 0).Select(step => step.Median)];
        return medians.Min() * medians.Length;
    }

    // A code span may not hold the character that ends it.
    private static string StepText(LaunchStep step)
    {
        string text = step.ToString().Replace('`', '\'').Replace('\t', ' ');
        return text.Length > 90 ? $"`{text[..87]}...`" : $"`{text}`";
    }

    private static string Share(double part, Samples[] steps) => $"{part / steps.Where(step => step.Count > 0).Sum(step => step.Median) * 100:F1} %";

    private static string[] Row(string name, Samples samples) => [name, Micro(samples.Min), Micro(samples.Median), Micro(samples.P90)];

    private static string Micro(double milliseconds) => Report.Number(milliseconds * 1000);
}
