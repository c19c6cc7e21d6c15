namespace Isolation;

/// <summary>The names under which this library's traces and metrics are listened to.</summary>
public static class IsolationTelemetry
{
    /// <summary>The name of the <see cref="System.Diagnostics.ActivitySource"/>, with the spans <c>launch</c>, <c>exec</c> and <c>stop</c>.</summary>
    public const string ActivitySourceName = "Isolation";

    /// <summary>The name of the <see cref="System.Diagnostics.Metrics.Meter"/>.</summary>
    public const string MeterName = "Isolation";

    internal static string? Version { get; } = typeof(IsolationTelemetry).Assembly.GetName().Version?.ToString(3);
}
