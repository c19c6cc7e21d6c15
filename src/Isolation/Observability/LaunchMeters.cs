using System.Diagnostics.Metrics;

namespace Isolation;

/// <summary>The instruments. Nothing is computed or allocated for one that nobody listens to; what runs is always counted.</summary>
internal static class LaunchMeters
{
    private static readonly Meter Meter = new(IsolationTelemetry.MeterName, IsolationTelemetry.Version);

    private static readonly Counter<long> Starts = Meter.CreateCounter<long>("isolation.container.starts", "{program}", "Programs that were started.");

    private static readonly Counter<long> Failures = Meter.CreateCounter<long>("isolation.container.failures", "{launch}", "Launches that did not start a program.");

    private static readonly Histogram<double> LaunchDuration = Meter.CreateHistogram("isolation.container.launch.duration", "s",
        "From the call that starts a program to its first instruction.", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5] });

    private static readonly Histogram<double> Duration = Meter.CreateHistogram("isolation.container.duration", "s",
        "From a program's first instruction to its end.", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 1800, 3600] });

    // Read when it is asked for: one who begins to listen late sees what runs, not what has changed since.
    private static readonly ObservableUpDownCounter<long> Running = Meter.CreateObservableUpDownCounter("isolation.container.running", Observe, "{program}", "Programs that run.");

    private static long _containers;
    private static long _execs;

    internal static void Started(bool exec, TimeSpan launch)
    {
        Interlocked.Increment(ref exec ? ref _execs : ref _containers);
        if (Starts.Enabled) Starts.Add(1, Kind(exec));
        if (LaunchDuration.Enabled) LaunchDuration.Record(launch.TotalSeconds, Kind(exec));
    }

    internal static void Failed(bool exec, string reason)
    {
        if (Failures.Enabled) Failures.Add(1, Kind(exec), new KeyValuePair<string, object?>("reason", reason));
    }

    internal static void Ended(bool exec, ContainerOutcome outcome, TimeSpan duration)
    {
        Interlocked.Decrement(ref exec ? ref _execs : ref _containers);
        if (Duration.Enabled) Duration.Record(duration.TotalSeconds, Kind(exec), new KeyValuePair<string, object?>("outcome", outcome.ToString()));
    }

    private static KeyValuePair<string, object?> Kind(bool exec) => new("kind", exec ? "exec" : "container");

    private static Measurement<long>[] Observe() => [new(Interlocked.Read(ref _containers), Kind(false)), new(Interlocked.Read(ref _execs), Kind(true))];
}
