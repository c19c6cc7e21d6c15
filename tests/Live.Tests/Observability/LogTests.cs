using Microsoft.Extensions.Logging;

namespace Isolation.Live.Tests;

/// <summary>What is logged, and in which order.</summary>
public sealed class LogTests
{
    private readonly ListLogger _log = new(LogLevel.Trace);

    [Fact]
    public async Task A_run_starts_and_ends()
    {
        await Sandbox.HostShell("exit 3").WithLogger(_log).ResultAsync();

        Logged(10, 11, 14);
        LogRecord[] records = [.. _log.Records];
        Assert.Equal(["ContainerStarting", "ContainerStarted", "ContainerEnded"], records.Select(record => record.Event.Name));
        Assert.Equal([LogLevel.Debug, LogLevel.Information, LogLevel.Information], records.Select(record => record.Level));
        Assert.Equal("sh", records[0].Properties["Program"]);
        Assert.True((int)records[1].Properties["ProcessId"]! > 0);
        Assert.Equal(ContainerOutcome.Exited, records[2].Properties["Outcome"]);
        Assert.Equal(3, records[2].Properties["ExitCode"]);
        Assert.Null(records[2].Properties["Signal"]);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_control_group_that_cannot_be_removed()
    {
        Lane.RequiresRoot("to mount something over it, which is what keeps it");
        CgroupScope.Requires(Cgroups.CgroupController.Pids);
        Container container = await Sandbox.Host("sleep", "1000").WithPidsLimit(10).WithLogger(_log).BeginAsync();
        string directory = container.Launch.Group!.Group.Directories[0];
        Assert.Equal(0, (await Sandbox.OnHostAsync("mount", "-t", "tmpfs", "isolation-test", directory)).ExitCode);
        try
        {
            await container.DisposeAsync();

            LogRecord record = _log.Records.Last();
            Assert.Equal((21, "ContainerGroupLeft", LogLevel.Warning), (record.Event.Id, record.Event.Name, record.Level));
            Assert.Contains(directory, record.Text, StringComparison.Ordinal);
            Assert.Contains("EBUSY", record.Text, StringComparison.Ordinal);
        }
        finally
        {
            Assert.Equal(0, (await Sandbox.OnHostAsync("umount", directory)).ExitCode);
            Directory.Delete(directory);
        }
    }

    [Fact]
    public async Task A_failed_launch()
    {
        ContainerException failure = await Sandbox.Host("/no/such/program").WithLogger(_log).RefusalAsync();

        Logged(10, 12);
        LogRecord record = _log.Records.Last();
        Assert.Equal(nameof(ContainerErrorReason.ProgramNotFound), record.Properties["Reason"]);
        Assert.Contains(failure.Purpose!, record.Text, StringComparison.Ordinal);
        Assert.Contains("ENOENT", record.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_launch_that_fails_before_there_is_a_process()
    {
        await Assert.ThrowsAsync<ContainerException>(() => Sandbox.Host("true").WithUser("nobody-of-this-name").WithLogger(_log).ResultAsync());

        Logged(10, 12);
        Assert.Equal(nameof(ContainerErrorReason.UserNotFound), _log.Records.Last().Properties["Reason"]);
    }

    [Fact]
    public async Task A_launch_that_is_cancelled()
    {
        // Cancelled by the first thing that is logged of it: before the process exists.
        using CancellationTokenSource source = new();
        CancellingLogger cancelling = new(source, _log);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Sandbox.Host("sleep", "1000").WithLogger(cancelling).RunAsync(source.Token));

        Logged(10, 16, 13);
        Assert.Equal(ContainerOutcome.Cancelled, _log.Records.ElementAt(1).Properties["Outcome"]);
    }

    [Fact]
    public async Task What_was_cancelled_before_is_not_mentioned()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Sandbox.Host("true").WithLogger(_log).RunAsync(new CancellationToken(canceled: true)));

        Assert.Empty(_log.Records);
    }

    [Fact]
    public async Task A_program_that_runs_too_long()
    {
        await Sandbox.Host("sleep", "1000").WithTimeout(TimeSpan.FromMilliseconds(20)).WithLogger(_log).ResultAsync();

        Logged(10, 11, 15, 14);
        Assert.Equal(ContainerOutcome.TimedOut, _log.Records.Last().Properties["Outcome"]);
    }

    [Fact]
    public async Task A_program_that_is_killed_is_killed_once()
    {
        Container container = await Sandbox.SleeperAsync(builder => builder.WithLogger(_log));

        await container.KillAsync(Sandbox.Token);
        await container.DisposeAsync();
        await container.DisposeAsync();

        Logged(10, 11, 16, 14);
        Assert.Equal(9, _log.Records.Last().Properties["Signal"]);
    }

    [Fact]
    public async Task A_program_that_ended_is_not_killed_by_its_disposal()
    {
        Container container = await Sandbox.Host("true").WithLogger(_log).BeginAsync();
        await container.EndAsync();

        await container.DisposeAsync();

        Logged(10, 11, 14);
    }

    [Fact]
    public async Task A_stop_that_is_obeyed()
    {
        await using Container container = await Sandbox.HostShell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done")
            .WithOutput(OutputTarget.Pipe).WithLogger(_log).BeginAsync();
        await container.StandardOutput.ReadUntilAsync("ready");

        Assert.Equal(7, (await container.StopAsync(TimeSpan.FromMinutes(1), Sandbox.Token)).ExitCode);

        Logged(10, 11, 17, 14);
        Assert.Equal(Isolation.Linux.Abi.SIGTERM, _log.Records.ElementAt(2).Properties["Signal"]);
    }

    [Fact]
    public async Task A_stop_that_runs_out_of_grace()
    {
        // The first process of a pid namespace gets no SIGTERM that it has no handler for.
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithLogger(_log));

        await container.StopAsync(TimeSpan.FromMilliseconds(20), Sandbox.Token);

        Logged(10, 11, 17, 18, 16, 14);
        Assert.Equal(LogLevel.Warning, _log.Records.ElementAt(3).Level);
    }

    [Fact]
    public async Task A_pause_is_mentioned_and_how_it_is_done_is_not()
    {
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithLogger(_log));

        await container.PauseAsync(Sandbox.Token);
        await container.PauseAsync(Sandbox.Token);
        await container.ResumeAsync(Sandbox.Token);
        await container.KillAsync(Sandbox.Token);

        Logged(10, 11, 19, 20, 16, 14);
    }

    [Fact]
    public async Task Further_programs_have_ids_of_their_own()
    {
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithLogger(_log));

        await container.ExecAsync(["true"], Sandbox.Token);
        await Assert.ThrowsAsync<ContainerException>(() => container.ExecAsync(["/no/such/program"], Sandbox.Token));
        await container.NewProcess().WithCommand("sleep", "1000").WithTimeout(TimeSpan.FromMilliseconds(20)).RunAsync(Sandbox.Token);
        await using ContainerProcess other = await container.NewProcess().WithCommand("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done").WithOutput(OutputTarget.Pipe).BeginAsync();
        await other.StandardOutput.ReadUntilAsync("ready");
        await other.StopAsync(TimeSpan.FromMilliseconds(20), Sandbox.Token);

        Logged(10, 11, 30, 31, 34, 30, 32, 30, 31, 35, 34, 30, 31, 37, 38, 36, 34);
        Assert.All(_log.Records, record => Assert.Equal(container.Id, record.Properties["Container"]));
        Assert.Equal(4, _log.Records.Where(record => record.Event.Id >= 30).Select(record => record.Properties["Exec"]).Distinct().Count());
    }

    [Theory]
    [InlineData("sh")]
    [InlineData("/no/such/program")]
    [InlineData("no-such-program")]
    public async Task Nothing_but_the_first_word_of_a_command_is_logged_and_nothing_of_the_environment(string program)
    {
        const string Secret = "correct-horse";
        ContainerBuilder builder = Sandbox.Host(program, "-c", "true # " + Secret).WithEnvironment("TOKEN", Secret)
            .WithEnvironment("PATH", "/" + Secret + ":/usr/bin:/bin").WithLogger(_log);

        try
        {
            await builder.ResultAsync();
        }
        catch (ContainerException exception)
        {
            Assert.Contains(Secret, exception.Message + exception.Step, StringComparison.Ordinal); // the caller's own
        }

        Assert.NotEmpty(_log.Records);
        foreach (LogRecord record in _log.Records)
        {
            Assert.Null(record.Exception);
            Assert.DoesNotContain(Secret, record.Text, StringComparison.Ordinal);
            Assert.All(record.Properties.Values, value => Assert.DoesNotContain(Secret, $"{value}", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_logger_that_throws_changes_nothing()
    {
        await using Container container = await Sandbox.HostShell("echo well; sleep 1000").WithOutput(OutputTarget.Pipe).WithLogger(new ThrowingLogger()).BeginAsync();
        await container.StandardOutput.ReadUntilAsync("well");

        Assert.True((await container.ExecAsync(["true"], Sandbox.Token)).Succeeded);
        await container.StopAsync(TimeSpan.FromMilliseconds(1), Sandbox.Token);

        Assert.Equal(ContainerOutcome.Killed, (await container.EndAsync()).Outcome);
        await Assert.ThrowsAsync<ContainerException>(() => Sandbox.Host("/no/such/program").WithLogger(new ThrowingLogger()).ResultAsync());
    }

    private void Logged(params int[] ids)
    {
        Assert.Equal(ids, _log.Records.Select(record => record.Event.Id));
        Assert.Single(_log.Records.Select(record => record.Properties["Container"]).Distinct());
    }

    private sealed class CancellingLogger(CancellationTokenSource source, ILogger inner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            inner.Log(logLevel, eventId, state, exception, formatter);
            source.Cancel();
        }
    }

    private sealed class ThrowingLogger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("this logger is broken");
    }
}
