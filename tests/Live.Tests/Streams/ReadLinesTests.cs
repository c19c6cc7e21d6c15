namespace Isolation.Live.Tests;

/// <summary>Lines as they come.</summary>
public sealed class ReadLinesTests
{
    [Fact]
    public async Task Lines_of_both_streams_come_with_their_origin()
    {
        DateTimeOffset before = DateTimeOffset.UtcNow;
        await using Container container = await Sandbox.HostShell("echo a; echo b >&2; echo c; printf d >&2")
            .WithOutput(OutputTarget.Pipe).WithError(OutputTarget.Pipe).BeginAsync();
        List<OutputLine> lines = [];

        await foreach (OutputLine line in container.ReadLinesAsync(Sandbox.Token)) lines.Add(line);

        Assert.Equal(["a", "c"], lines.Where(line => line.Origin == OutputOrigin.StandardOutput).Select(line => line.Text));
        Assert.Equal(["b", "d"], lines.Where(line => line.Origin == OutputOrigin.StandardError).Select(line => line.Text));
        Assert.All(lines, line => Assert.InRange(line.Time, before, DateTimeOffset.UtcNow));
    }

    [Fact]
    public async Task More_lines_than_are_kept_ahead_come_in_order()
    {
        await using Container container = await Sandbox.Host("seq", "20000").WithOutput(OutputTarget.Pipe).BeginAsync();
        int expected = 0;

        await foreach (OutputLine line in container.ReadLinesAsync(Sandbox.Token)) Assert.Equal($"{++expected}", line.Text);

        Assert.Equal(20_000, expected);
    }

    [Fact]
    public async Task A_cancelled_reading_ends_and_the_program_runs_on()
    {
        await using Container container = await Sandbox.HostShell("echo first; sleep 1000").WithOutput(OutputTarget.Pipe).BeginAsync();
        using CancellationTokenSource source = new();
        List<string> lines = [];

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (OutputLine line in container.ReadLinesAsync(source.Token))
            {
                lines.Add(line.Text);
                await source.CancelAsync();
            }
        });

        Assert.Equal(["first"], lines);
        Assert.True(container.IsRunning);
    }

    [Fact]
    public async Task A_reading_that_is_left_does_not_hold_up_the_disposal()
    {
        Container container = await Sandbox.Host("yes").WithOutput(OutputTarget.Pipe).BeginAsync();

        await foreach (OutputLine line in container.ReadLinesAsync(Sandbox.Token))
        {
            Assert.Equal("y", line.Text);
            break;
        }

        await container.DisposeAsync().AsTask().WaitAsync(Sandbox.Token);
        Assert.False(container.IsRunning);
    }

    [Fact]
    public async Task They_are_read_once_and_not_after_disposal()
    {
        Container container = await Sandbox.HostShell("echo first; sleep 1000").WithOutput(OutputTarget.Pipe).BeginAsync();
        Container disposed = await Sandbox.Host("echo", "first").WithOutput(OutputTarget.Pipe).BeginAsync();
        await using (container)
        {
            await foreach (OutputLine _ in container.ReadLinesAsync(Sandbox.Token)) break;
            await Assert.ThrowsAsync<InvalidOperationException>(() => ReadAsync(container));
        }

        await disposed.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ReadAsync(disposed));

        static async Task ReadAsync(Container container)
        {
            await foreach (OutputLine _ in container.ReadLinesAsync(Sandbox.Token)) Assert.Fail("there was a line");
        }
    }

    [Fact]
    public async Task Without_a_pipe_there_are_no_lines()
    {
        await using Container container = await Sandbox.SleeperAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            await foreach (OutputLine _ in container.ReadLinesAsync(Sandbox.Token)) Assert.Fail("there was a line");
        });
    }
}
