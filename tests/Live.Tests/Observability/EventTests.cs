using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using static Isolation.ContainerEventKind;

namespace Isolation.Live.Tests;

/// <summary>Events, as callbacks and as a sequence.</summary>
public sealed class EventTests
{
    [Fact]
    public async Task A_watcher_that_comes_late_gets_all()
    {
        Container container = await Sandbox.HostShell("exit 3").BeginAsync();
        await container.EndAsync();
        await container.DisposeAsync();

        ContainerEvent[] events = await AllAsync(container);

        Assert.Equal([Started, Exited], events.Select(happened => happened.Kind));
        Assert.Equal([1, 2], events.Select(happened => happened.Sequence));
        Assert.All(events, happened => Assert.Equal((container.Id, container.ProcessId), (happened.Container, happened.ProcessId)));
        Assert.Equal((ContainerOutcome.Exited, 3, null), (events[1].Outcome, events[1].ExitCode, events[1].Signal));
        Assert.Null(events[0].Outcome);
        Assert.True(events[1].Time >= events[0].Time);
        Assert.Equal(TimeSpan.Zero, events[0].Time.Offset);
        Assert.Equal(events, await AllAsync(container));
    }

    [Fact]
    public async Task Everything_that_happens_to_it_is_told_in_order()
    {
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithTimeout(TimeSpan.FromHours(1)));
        Task<ContainerEvent[]> early = AllAsync(container);

        await container.PauseAsync(Sandbox.Token);
        await container.ResumeAsync(Sandbox.Token);
        await using (ContainerProcess other = await container.NewProcess().WithCommand("sh", "-c", "exit 5").BeginAsync()) await other.EndAsync();
        await container.StopAsync(TimeSpan.FromMilliseconds(10), Sandbox.Token);

        ContainerEvent[] events = await early;
        Assert.Equal([Started, Paused, Resumed, ExecStarted, ExecExited, Stopping, Exited], events.Select(happened => happened.Kind));
        Assert.Equal(Enumerable.Range(1, 7).Select(number => (long)number), events.Select(happened => happened.Sequence));
        Assert.Equal(5, events[4].ExitCode);
        Assert.Equal(events[3].ProcessId, events[4].ProcessId);
        Assert.NotEqual(container.ProcessId, events[3].ProcessId);
        Assert.Equal(15, events[5].Signal);
        Assert.Equal((ContainerOutcome.Killed, 9), (events[6].Outcome, events[6].Signal));
        Assert.Equal(events, await AllAsync(container));
    }

    [Fact]
    public async Task A_program_that_runs_too_long()
    {
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithTimeout(TimeSpan.FromMilliseconds(20)));

        ContainerEvent[] events = await AllAsync(container);

        Assert.Equal([Started, TimedOut, Exited], events.Select(happened => happened.Kind));
        Assert.Equal(ContainerOutcome.TimedOut, events[2].Outcome);
    }

    [Fact]
    public async Task A_further_program_has_events_of_its_own()
    {
        await using Container container = await Sandbox.SleeperAsync();
        await using ContainerProcess other = await container.NewProcess().WithCommand("sleep", "1000").BeginAsync();
        await other.KillAsync(Sandbox.Token);

        List<ContainerEvent> events = [];
        await foreach (ContainerEvent happened in other.WatchAsync(Sandbox.Token)) events.Add(happened);

        Assert.Equal([ExecStarted, ExecExited], events.Select(happened => happened.Kind));
        Assert.All(events, happened => Assert.Equal((container.Id, other.ProcessId), (happened.Container, happened.ProcessId)));
        Assert.Equal(ContainerOutcome.Killed, events[1].Outcome);
    }

    [Fact]
    public async Task A_watch_that_is_cancelled_ends_and_the_container_does_not()
    {
        await using Container container = await Sandbox.SleeperAsync();
        using CancellationTokenSource source = new();
        int seen = 0;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (ContainerEvent happened in container.WatchAsync(source.Token))
            {
                seen++;
                await source.CancelAsync();
            }
        });

        Assert.Equal(1, seen);
        Assert.True(container.IsRunning);
    }

    [Fact]
    public async Task A_watch_that_is_cancelled_while_it_waits_ends_too()
    {
        await using Container container = await Sandbox.SleeperAsync();
        using CancellationTokenSource source = new();
        IAsyncEnumerator<ContainerEvent> watch = container.WatchAsync(CancellationToken.None).GetAsyncEnumerator(source.Token);
        Assert.True(await watch.MoveNextAsync());
        ValueTask<bool> next = watch.MoveNextAsync();
        Assert.False(next.IsCompleted);

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
        await watch.DisposeAsync();
    }

    [Fact]
    public async Task Callbacks_are_called_in_order_on_the_pool()
    {
        ConcurrentQueue<(ContainerEvent Happened, bool Pool)> seen = new();
        TaskCompletionSource over = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using Container container = await Sandbox.SleeperAsync(builder => builder.OnEvent(happened =>
        {
            seen.Enqueue((happened, Thread.CurrentThread.IsThreadPoolThread));
            if (happened.Kind == Exited) over.SetResult();
        }));

        await container.PauseAsync(Sandbox.Token);
        await container.ResumeAsync(Sandbox.Token);
        await container.ExecAsync(["true"], Sandbox.Token);
        await container.KillAsync(Sandbox.Token);
        await over.Task.WaitAsync(Sandbox.Token);

        Assert.Equal([Started, Paused, Resumed, ExecStarted, ExecExited, Exited], seen.Select(call => call.Happened.Kind));
        Assert.All(seen, call => Assert.True(call.Pool));
        Assert.Equal(await AllAsync(container), seen.Select(call => call.Happened));
    }

    [Fact]
    public async Task A_callback_that_throws_is_logged_and_breaks_nothing()
    {
        ListLogger log = new(LogLevel.Error);
        TaskCompletionSource over = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using Container container = await Sandbox.HostShell("exit 0").WithLogger(log)
            .OnEvent(_ => throw new InvalidOperationException("this callback is broken"))
            .OnEvent(happened => { if (happened.Kind == Exited) over.SetResult(); })
            .BeginAsync();

        Assert.True((await container.EndAsync()).Succeeded);
        await over.Task.WaitAsync(Sandbox.Token);

        Assert.Equal([50, 50], log.Records.Select(record => record.Event.Id));
        Assert.Equal([Started, Exited], log.Records.Select(record => record.Properties["Event"]));
        Assert.All(log.Records, record => Assert.Equal(container.Id, record.Properties["Container"]));
        Assert.All(log.Records, record => Assert.IsType<InvalidOperationException>(record.Exception));
    }

    [Fact]
    public async Task A_callback_that_blocks_holds_up_only_itself()
    {
        using ManualResetEventSlim gate = new();
        TaskCompletionSource over = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (Container container = await Sandbox.HostShell("exit 0").OnEvent(happened =>
        {
            gate.Wait(Sandbox.Token);
            if (happened.Kind == Exited) over.SetResult();
        }).BeginAsync())
        {
            Assert.True((await container.EndAsync()).Succeeded);
            Assert.True((await Sandbox.Host("true").ResultAsync()).Succeeded);
        }

        Assert.False(over.Task.IsCompleted);
        gate.Set();
        await over.Task.WaitAsync(Sandbox.Token);
    }

    [Fact]
    public async Task A_launch_that_fails_has_no_events()
    {
        ConcurrentQueue<ContainerEvent> seen = new();

        await Sandbox.Host("/no/such/program").OnEvent(seen.Enqueue).RefusalAsync();

        Assert.Empty(seen);
    }

    [Fact]
    public async Task Many_watch_at_once()
    {
        await using Container container = await Sandbox.SleeperAsync();
        Task<ContainerEvent[]>[] watches = [.. Enumerable.Range(0, 50).Select(_ => Task.Run(() => AllAsync(container)))];
        for (int i = 0; i < 5; i++) await container.ExecAsync(["true"], Sandbox.Token);
        await container.KillAsync(Sandbox.Token);

        ContainerEvent[][] all = await Task.WhenAll(watches);

        Assert.Equal(12, all[0].Length);
        Assert.All(all, events => Assert.Equal(all[0], events));
    }

    private static async Task<ContainerEvent[]> AllAsync(Container container)
    {
        List<ContainerEvent> events = [];
        await foreach (ContainerEvent happened in container.WatchAsync(Sandbox.Token)) events.Add(happened);
        return [.. events];
    }
}
