using System.Diagnostics;

namespace Isolation.Benchmarks;

/// <summary>One thing that is measured beside others: from the call that starts it until its end is known.</summary>
internal sealed class Entry(string name, Func<Task> run)
{
    internal string Name { get; } = name;

    internal Samples Samples { get; } = new();

    /// <summary>What is done before each run, and not counted.</summary>
    internal Func<Task>? Before { get; init; }

    /// <summary>Why it is not measured; null while it is.</summary>
    internal string? Failure { get; set; }

    /// <summary>An entry that cannot be measured, and why.</summary>
    internal static Entry Missing(string name, string reason) => new(name, () => Task.CompletedTask) { Failure = reason };

    /// <summary>Runs once, and takes the time if it counts. A failure is kept, and ends this entry.</summary>
    internal async Task RunAsync(bool counts)
    {
        if (Failure is not null) return;
        try
        {
            if (Before is not null) await Before();
            long start = Stopwatch.GetTimestamp();
            await run();
            double elapsed = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (counts) Samples.Add(elapsed);
        }
        catch (Exception exception)
        {
            Failure = exception.Message.ReplaceLineEndings(" ").Trim();
        }
    }
}
