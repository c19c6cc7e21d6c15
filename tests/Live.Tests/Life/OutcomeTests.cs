using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>Why a program ended, and the calls that end it.</summary>
public sealed class OutcomeTests
{
    private const string Deaf = "trap '' TERM; echo ready >&2; while :; do read line; done";

    [Fact]
    public async Task Exited()
    {
        ContainerResult result = await Sandbox.HostShell("exit 3").ResultAsync();

        Assert.Equal((ContainerOutcome.Exited, 3, (int?)null), (result.Outcome, result.ExitCode, result.Signal));
    }

    [Fact]
    public async Task Signalled()
    {
        await using Container container = await Sandbox.SleeperAsync();

        using (PidDescriptor process = PidDescriptor.Open(container.ProcessId)) process.SendSignal(Abi.SIGKILL);

        ContainerResult result = await container.EndAsync();
        Assert.Equal((ContainerOutcome.Signalled, Abi.SIGKILL), (result.Outcome, result.Signal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Timed_out(bool init)
    {
        ContainerBuilder builder = Sandbox.HostShell("echo out; trap '' TERM; sleep 1000; sleep 1000").WithTimeout(TimeSpan.FromMilliseconds(300));
        if (init) builder.WithInit();

        ContainerResult result = await builder.ResultAsync();

        Assert.Equal((ContainerOutcome.TimedOut, Abi.SIGKILL, "out\n"), (result.Outcome, result.Signal, result.StandardOutput));
        Assert.InRange(result.Elapsed, TimeSpan.FromMilliseconds(300), TimeSpan.FromSeconds(50));
    }

    [Fact]
    public async Task A_program_that_ends_in_time_exited() =>
        Assert.Equal(ContainerOutcome.Exited, (await Sandbox.Host("true").WithTimeout(TimeSpan.FromMinutes(5)).ResultAsync()).Outcome);

    [Fact]
    public void Times_and_signals_that_cannot_be_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Sandbox.Host("true").WithTimeout(TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => Sandbox.Host("true").WithTimeout(TimeSpan.FromSeconds(-1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Sandbox.Host("true").WithTimeout(TimeSpan.FromDays(50)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Sandbox.Host("true").WithStopSignal(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Sandbox.Host("true").WithStopSignal(65));
    }

    [Fact]
    public async Task Cancelled()
    {
        using CancellationTokenSource source = new();
        await using Container container = await Sandbox.Host("sleep", "1000").StartAsync(source.Token);

        await source.CancelAsync();

        Assert.Equal(ContainerOutcome.Cancelled, (await container.EndAsync()).Outcome);
    }

    [Fact]
    public async Task Killed_by_call_and_by_disposal()
    {
        await using Container killed = await Sandbox.SleeperAsync();
        Container disposed = await Sandbox.SleeperAsync();

        await killed.KillAsync(Sandbox.Token);
        await disposed.DisposeAsync();

        Assert.Equal(ContainerOutcome.Killed, (await killed.EndAsync()).Outcome);
        Assert.Equal(ContainerOutcome.Killed, (await disposed.EndAsync()).Outcome);
    }

    [Fact]
    public async Task The_first_reason_stands()
    {
        using CancellationTokenSource source = new();
        await using Container container = await Sandbox.Host("sleep", "1000").StartAsync(source.Token);

        await container.KillAsync(Sandbox.Token);
        await source.CancelAsync();

        Assert.Equal(ContainerOutcome.Killed, (await container.EndAsync()).Outcome);
    }

    [Fact]
    public async Task A_stop_asks_first()
    {
        await using Container container = await Sandbox.HostShell("trap 'echo bye; exit 6' TERM; echo ready >&2; sleep 1000 & wait").WithError(OutputTarget.Pipe).BeginAsync();
        await container.StandardError.ReadUntilAsync("ready");

        ContainerResult result = await container.StopAsync(TimeSpan.FromMinutes(1), Sandbox.Token);

        Assert.Equal((ContainerOutcome.Exited, 6, "bye\n"), (result.Outcome, result.ExitCode, result.StandardOutput));
        Assert.Same(result, await container.StopAsync(cancellationToken: Sandbox.Token));
    }

    [Fact]
    public async Task The_stop_signal_is_the_one_asked_for()
    {
        await using Container container = await Sandbox.HostShell("trap 'exit 1' TERM; trap 'exit 7' QUIT; echo ready >&2; sleep 1000 & wait").WithStopSignal(3).WithError(OutputTarget.Pipe).BeginAsync();
        await container.StandardError.ReadUntilAsync("ready");

        Assert.Equal(7, (await container.StopAsync(TimeSpan.FromMinutes(1), Sandbox.Token)).ExitCode);
    }

    [Fact]
    public async Task Who_does_not_hear_a_stop_is_killed_after_the_grace()
    {
        TimeSpan grace = TimeSpan.FromMilliseconds(300);
        await using Container container = await Sandbox.HostShell(Deaf).WithInput(InputSource.Pipe).WithError(OutputTarget.Pipe).BeginAsync();
        await container.StandardError.ReadUntilAsync("ready");
        long start = System.Diagnostics.Stopwatch.GetTimestamp();

        ContainerResult result = await container.StopAsync(grace, Sandbox.Token);

        Assert.Equal((ContainerOutcome.Killed, Abi.SIGKILL), (result.Outcome, result.Signal));
        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(start), grace - TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(9));
    }

    [Fact]
    public async Task A_stop_that_is_cancelled_kills_at_once()
    {
        await using Container container = await Sandbox.HostShell(Deaf).WithInput(InputSource.Pipe).WithError(OutputTarget.Pipe).BeginAsync();
        await container.StandardError.ReadUntilAsync("ready");
        using CancellationTokenSource source = new();
        Task<ContainerResult> stop = container.StopAsync(TimeSpan.FromHours(1), source.Token);

        await source.CancelAsync();

        Assert.Equal(ContainerOutcome.Killed, (await stop.WaitAsync(Sandbox.Token)).Outcome);
    }

    [Fact]
    public async Task A_signal_reaches_the_program_while_it_runs()
    {
        Container container = await Sandbox.HostShell("trap 'exit 12' USR2; echo ready >&2; sleep 1000 & wait").WithError(OutputTarget.Pipe).BeginAsync();
        await container.StandardError.ReadUntilAsync("ready");
        Assert.Equal(Errno.EINVAL, (await Assert.ThrowsAsync<LinuxException>(() => container.SignalAsync(1000))).Errno);

        await container.SignalAsync(12);

        Assert.Equal(12, (await container.EndAsync()).ExitCode);
        ContainerStateException failure = await Assert.ThrowsAsync<ContainerStateException>(() => container.SignalAsync(12));
        Assert.Equal(ContainerState.Ended, failure.State);
        await container.DisposeAsync();
        await Assert.ThrowsAsync<ContainerStateException>(() => container.SignalAsync(12));
    }

    [Fact]
    public async Task A_thousand_wait()
    {
        await using Container container = await Sandbox.HostShell("read code; exit $code").WithInput(InputSource.Pipe).BeginAsync();
        CancellationToken token = Sandbox.Token;
        Task<ContainerResult>[] waiters = [.. Enumerable.Range(0, 1_000).Select(_ => container.WaitAsync(token))];
        Assert.DoesNotContain(waiters, waiter => waiter.IsCompleted);

        await container.StandardInput.SendAsync("8\n");

        ContainerResult[] results = await Task.WhenAll(waiters);
        Assert.Equal(8, results[0].ExitCode);
        Assert.All(results, result => Assert.Same(results[0], result));
    }
}
