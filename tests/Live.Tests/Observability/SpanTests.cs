using System.Collections.Concurrent;
using System.Diagnostics;

namespace Isolation.Live.Tests;

/// <summary>The spans of a test are those beneath its own: others run beside it.</summary>
public sealed class SpanTests : IDisposable
{
    private static readonly ActivitySource Own = new("Isolation.Live.Tests");
    private static readonly string[] Phases = ["prepared", "taken", "born", "started"];

    private readonly ConcurrentQueue<Activity> _begun = new();
    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;
    private readonly Activity _root;

    public SpanTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source == Own || source.Name == IsolationTelemetry.ActivitySourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStarted = activity => { if (IsMine(activity)) _begun.Enqueue(activity); },
            ActivityStopped = activity => { if (IsMine(activity)) _ended.Enqueue(activity); },
        };
        ActivitySource.AddActivityListener(_listener);
        _root = new Activity("test").SetIdFormat(ActivityIdFormat.W3C);
    }

    [Fact]
    public async Task A_launch_that_succeeds_has_its_phases()
    {
        _root.Start();
        await using Container container = await Sandbox.SleeperAsync();

        Assert.Same(_root, Activity.Current);
        Activity span = Single("launch");
        Assert.Equal(_root.SpanId, span.ParentSpanId);
        Assert.Equal(ActivityStatusCode.Unset, span.Status);
        Assert.Equal(container.Id, span.GetTagItem("container.id"));
        Assert.Equal(container.ProcessId, span.GetTagItem("process.pid"));
        Assert.Equal("sleep", span.GetTagItem("process.executable.name"));
        Assert.Equal(Phases, span.Events.Select(moment => moment.Name));
        Assert.All(span.Events, moment => Assert.True(Took(moment) >= 0));
        Assert.Equal(span.Events.Select(moment => moment.Timestamp).Order(), span.Events.Select(moment => moment.Timestamp));
        Assert.InRange(span.Events.Sum(Took), 0, span.Duration.TotalSeconds + 1);
    }

    [Fact]
    public async Task A_launch_that_fails_in_the_child()
    {
        _root.Start();
        await Sandbox.Host("/no/such/program").WithEnvironment("TOKEN", "secret").RefusalAsync();

        Activity span = Single("launch");
        Assert.Equal(ActivityStatusCode.Error, span.Status);
        Assert.Equal("cannot start the program: ENOENT", span.StatusDescription);
        Assert.Equal("ProgramNotFound", span.GetTagItem("error.type"));
        Assert.Equal(Phases[..3], span.Events.Select(moment => moment.Name));
    }

    [Fact]
    public async Task A_launch_that_fails_before_there_is_a_child()
    {
        _root.Start();
        await Assert.ThrowsAsync<ContainerException>(() => Sandbox.Host("true").WithUser("nobody-of-this-name").ResultAsync());

        Activity span = Single("launch");
        Assert.Equal(ActivityStatusCode.Error, span.Status);
        Assert.Equal("UserNotFound", span.GetTagItem("error.type"));
        Assert.Empty(span.Events);
    }

    [Fact]
    public async Task Launches_that_are_cancelled_at_any_moment_end_their_spans()
    {
        _root.Start();
        ContainerSpec spec = Sandbox.Host("true").Build();
        Random random = new(7);
        int cancelled = 0;
        for (int i = 0; i < 60; i++)
        {
            using CancellationTokenSource source = new();
            Task<ContainerResult> run = spec.RunAsync(source.Token);
            Thread.SpinWait(random.Next(0, 200_000));
            await source.CancelAsync();
            try
            {
                await run;
            }
            catch (OperationCanceledException)
            {
                cancelled++;
            }
        }

        Assert.True(cancelled > 0);
        Activity[] spans = Ended();
        Assert.Equal(60, spans.Length);
        Assert.All(spans.Where(span => span.Status == ActivityStatusCode.Error), span => Assert.Equal("Cancelled", span.GetTagItem("error.type")));
    }

    [Fact]
    public async Task An_exec_lasts_as_long_as_its_program_and_a_stop_as_long_as_it_takes()
    {
        _root.Start();
        await using Container container = await Sandbox.SleeperAsync();
        await container.ExecAsync(["sh", "-c", "exit 4"], Sandbox.Token);
        await using ContainerProcess other = await container.NewProcess().WithCommand("sleep", "1000").BeginAsync();

        Assert.Single(Ended(), span => span.OperationName == "exec");
        await other.KillAsync(Sandbox.Token);
        await container.StopAsync(TimeSpan.FromMilliseconds(10), Sandbox.Token);

        Activity[] execs = [.. Ended().Where(span => span.OperationName == "exec")];
        Assert.Equal([4, null], execs.Select(span => span.GetTagItem("process.exit.code")));
        Assert.Equal(["Exited", "Killed"], execs.Select(span => span.GetTagItem("isolation.outcome")));
        Assert.All(execs, span => Assert.Equal(container.Id, span.GetTagItem("container.id")));
        Activity stop = Assert.Single(Ended(), span => span.OperationName == "stop");
        Assert.Equal(15, stop.GetTagItem("isolation.stop.signal"));
        Assert.Equal("Killed", stop.GetTagItem("isolation.outcome"));
    }

    [Fact]
    public async Task A_pause_makes_no_span()
    {
        _root.Start();
        await using Container container = await Sandbox.SleeperAsync();
        await container.PauseAsync(Sandbox.Token);
        await container.ResumeAsync(Sandbox.Token);

        Single("launch");
    }

    [Fact]
    public async Task The_callers_span_is_on_no_thread_of_ours()
    {
        _root.Start();
        ConcurrentQueue<Activity?> seen = new();
        await Sandbox.HostShell("echo one; echo two").WithLogger(new CurrentLogger(seen))
            .WithOutput(OutputTarget.ToLines(_ => seen.Enqueue(Activity.Current))).ResultAsync();
        Task suppressed;
        using (ExecutionContext.SuppressFlow()) suppressed = Sandbox.Host("true").ResultAsync();
        Assert.Same(_root, Activity.Current);
        await suppressed;

        Assert.Equal(2, Ended().Length);
        // The first entry is logged by the caller's own call.
        Assert.Same(_root, seen.First());
        Assert.All(seen.Skip(1), Assert.Null);
    }

    [Fact]
    public async Task A_listener_that_throws_changes_nothing()
    {
        using ActivityListener broken = new()
        {
            ShouldListenTo = source => source.Name == IsolationTelemetry.ActivitySourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStarted = Throw,
            ActivityStopped = Throw,
        };
        ActivitySource.AddActivityListener(broken);
        _root.Start();

        await using Container container = await Sandbox.SleeperAsync();
        await container.ExecAsync(["true"], Sandbox.Token);
        ContainerResult result = await container.StopAsync(TimeSpan.FromMilliseconds(1), Sandbox.Token);

        Assert.Equal(ContainerOutcome.Killed, result.Outcome);
        Assert.Same(_root, Activity.Current);

        void Throw(Activity activity)
        {
            if (activity.TraceId == _root.TraceId) throw new InvalidOperationException("this listener is broken");
        }
    }

    public void Dispose()
    {
        _root.Stop();
        _listener.Dispose();
        _root.Dispose();
        Assert.Equal(_begun.Select(span => span.SpanId).ToHashSet(), _ended.Select(span => span.SpanId).ToHashSet());
        Assert.Equal(_begun.Count, _ended.Count);
    }

    private bool IsMine(Activity activity) => activity.TraceId == _root.TraceId;

    private Activity[] Ended() => [.. _ended];

    private Activity Single(string name)
    {
        Activity span = Assert.Single(Ended());
        Assert.Equal(name, span.OperationName);
        return span;
    }

    private static double Took(ActivityEvent moment) => (double)moment.Tags.Single(tag => tag.Key == "isolation.phase.duration").Value!;

    private sealed class CurrentLogger(ConcurrentQueue<Activity?> seen) : Microsoft.Extensions.Logging.ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(Microsoft.Extensions.Logging.LogLevel logLevel) => true;

        public void Log<TState>(Microsoft.Extensions.Logging.LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            seen.Enqueue(Activity.Current);
    }
}
