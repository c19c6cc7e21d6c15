using System.Diagnostics;

namespace Isolation;

/// <summary>
/// The spans. A launch passes from the caller's thread to two that live for ever, so a span is begun and ended inside an
/// execution context of its own: <see cref="Activity.Current"/> is afterwards what it was, on whatever thread. What a
/// listener throws stays here: who only looks on must not break a container.
/// </summary>
internal static class LaunchSpans
{
    private static readonly ActivitySource Source = new(IsolationTelemetry.ActivitySourceName, IsolationTelemetry.Version);

    /// <summary>Begins a span beneath the caller's; null where nobody listens.</summary>
    internal static Activity? Begin(string name, string container, string program) =>
        Source.HasListeners() ? Heard(name, container, program) : null;

    /// <summary>The program runs, or will not: how far the launch came, and how long each part took.</summary>
    internal static void Phases(Activity span, LaunchTimeline timeline)
    {
        if (!span.IsAllDataRequested) return;
        foreach ((string name, TimeSpan at, TimeSpan took) in timeline.Phases())
            span.AddEvent(new ActivityEvent(name, new DateTimeOffset(span.StartTimeUtc + at), new ActivityTagsCollection { ["isolation.phase.duration"] = took.TotalSeconds }));
    }

    internal static void Fail(Activity span, string reason, string problem)
    {
        span.SetTag("error.type", reason);
        span.SetStatus(ActivityStatusCode.Error, problem);
        End(span);
    }

    internal static void Outcome(Activity span, ContainerOutcome outcome, int? exitCode, int? signal)
    {
        if (!span.IsAllDataRequested) return;
        span.SetTag("isolation.outcome", outcome.ToString());
        if (exitCode is not null) span.SetTag("process.exit.code", exitCode);
        if (signal is not null) span.SetTag("isolation.signal", signal);
    }

    internal static void End(Activity span) => Apart(span.Stop);

    private static Activity? Heard(string name, string container, string program)
    {
        Activity? span = null;
        Apart(() =>
        {
            span = Source.CreateActivity(name, ActivityKind.Internal);
            if (span is null) return;
            span.SetTag("container.id", container);
            span.SetTag("process.executable.name", Path.GetFileName(program));
            span.Start();
        });
        return span;
    }

    private static void Apart(Action act)
    {
        ContextCallback guarded = static state =>
        {
            try
            {
                ((Action)state!)();
            }
            catch (Exception)
            {
                // A listener's own.
            }
        };

        // Where the caller has suppressed the flow there is none to copy; what is changed is then put back by hand.
        if (ExecutionContext.Capture() is { } context)
        {
            ExecutionContext.Run(context, guarded, act);
            return;
        }

        Activity? current = Activity.Current;
        guarded(act);
        Activity.Current = current;
    }
}
