namespace Isolation.Benchmarks;

/// <summary>One launch by the clock, in milliseconds; NaN for a step that was passed over.</summary>
internal sealed record ClockReading(double[] Stages, double[] Steps);
