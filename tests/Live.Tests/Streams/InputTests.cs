using System.Security.Cryptography;
using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>What a program reads.</summary>
public sealed class InputTests
{
    private const int Many = 5_000_000;

    [Fact]
    public async Task Nothing_is_the_end_at_once() =>
        Assert.Equal("0", (await Sandbox.Host("wc", "-c").WithInput(InputSource.Empty).OutputAsync()).Trim());

    [Fact]
    public async Task A_pipe_is_read_as_it_is_written_and_ends_when_it_is_disposed()
    {
        await using Container container = await Sandbox.HostShell("read a; echo got $a >&2; cat").WithInput(InputSource.Pipe).WithError(OutputTarget.Pipe).BeginAsync();

        await container.StandardInput.SendAsync("one\n");
        Assert.Equal("got one\n", await container.StandardError.ReadUntilAsync("\n"));
        await container.StandardInput.SendAsync("two\nthree");
        await container.StandardInput.DisposeAsync();

        Assert.Equal("two\nthree", Sandbox.Output(await container.EndAsync()));
    }

    [Fact]
    public async Task A_file_is_read_whole()
    {
        using TemporaryDirectory directory = new();
        byte[] bytes = RandomNumberGenerator.GetBytes(1_000_003);
        File.WriteAllBytes(directory["input"], bytes);

        ContainerResult result = await Sandbox.Host("cat").WithInput(InputSource.FromFile(directory["input"])).ResultAsync();

        Assert.True(result.StandardOutputBytes.Span.SequenceEqual(bytes));
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_named()
    {
        ContainerException refusal = await Sandbox.Host("cat").WithInput(InputSource.FromFile("/no/such/input")).RefusalAsync();

        Assert.Equal(Errno.ENOENT, refusal.Errno);
        Assert.Contains("/no/such/input", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bytes_arrive_whole()
    {
        byte[] bytes = RandomNumberGenerator.GetBytes(Many);

        ContainerResult result = await Sandbox.Host("cat").WithInput(InputSource.FromBytes(bytes)).ResultAsync();

        Assert.True(result.StandardOutputBytes.Span.SequenceEqual(bytes));
    }

    [Theory]
    [InlineData("true")]
    [InlineData("head -c 3 > /dev/null")]
    [InlineData("exec <&-; echo closed > /dev/null")]
    public async Task Bytes_that_nobody_reads_are_dropped(string script)
    {
        ContainerResult result = await Sandbox.HostShell(script).WithInput(InputSource.FromBytes(new byte[Many])).ResultAsync();

        Assert.Equal((ContainerOutcome.Exited, 0), (result.Outcome, result.ExitCode));
    }

    [Fact]
    public async Task Text_is_utf8() =>
        Assert.Equal("grüße, 世界", await Sandbox.Host("cat").WithInput(InputSource.FromText("grüße, 世界")).OutputAsync());

    [Fact]
    public async Task One_spec_gives_its_bytes_to_each_container()
    {
        ContainerSpec spec = Sandbox.Host("cat").WithInput(InputSource.FromText("shared")).Build();

        ContainerResult[] results = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => spec.RunAsync(Sandbox.Token)));

        Assert.All(results, result => Assert.Equal("shared", Sandbox.Output(result)));
    }

    [Fact]
    public async Task A_stream_is_read_to_its_end_and_stays_open()
    {
        byte[] bytes = RandomNumberGenerator.GetBytes(Many);
        using MemoryStream stream = new(bytes);

        ContainerResult result = await Sandbox.Host("cat").WithInput(InputSource.FromStream(stream)).ResultAsync();

        Assert.True(result.StandardOutputBytes.Span.SequenceEqual(bytes));
        Assert.True(stream.CanRead);
    }

    [Fact]
    public async Task A_stream_without_end_does_not_outlast_the_program()
    {
        await using TestStream endless = new(onRead: buffer =>
        {
            buffer.Span.Fill((byte)'x');
            return ValueTask.FromResult(buffer.Length);
        });

        Assert.Equal("100000", (await Sandbox.HostShell("head -c 100000 | wc -c").WithInput(InputSource.FromStream(endless)).OutputAsync()).Trim());
    }

    [Fact]
    public async Task A_stream_that_never_answers_does_not_hold_the_end_up()
    {
        TaskCompletionSource<int> never = new();
        await using TestStream silent = new(onRead: _ => new(never.Task)); // it does not even hear of a cancellation

        Assert.Equal("done", await Sandbox.Host("echo", "done").WithInput(InputSource.FromStream(silent)).OutputAsync());
    }

    [Fact]
    public async Task A_stream_that_blocks_its_thread_does_not_hold_the_end_up()
    {
        CancellationToken token = Sandbox.Token;
        using ManualResetEventSlim go = new();
        await using TestStream blocking = new(onRead: _ =>
        {
            go.Wait(token); // as reading the console does
            return ValueTask.FromResult(0);
        });

        try
        {
            Assert.Equal("done", await Sandbox.Host("echo", "done").WithInput(InputSource.FromStream(blocking)).OutputAsync());
        }
        finally
        {
            go.Set();
        }
    }

    [Fact]
    public async Task A_stream_that_fails_fails_the_wait()
    {
        await using TestStream broken = new(onRead: _ => ValueTask.FromException<int>(new IOException("broken for the test")));

        IOException failure = await Assert.ThrowsAsync<IOException>(() => Sandbox.Host("cat").WithInput(InputSource.FromStream(broken)).ResultAsync());

        Assert.Equal("broken for the test", failure.Message);
    }

    [Fact]
    public async Task One_programs_output_is_anothers_input()
    {
        await using Container first = await Sandbox.Host("seq", "100000").WithOutput(OutputTarget.Pipe).BeginAsync();

        Assert.Equal("100000", (await Sandbox.Host("wc", "-l").WithInput(InputSource.OutputOf(first)).OutputAsync()).Trim());

        Assert.True((await first.EndAsync()).Succeeded);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Sandbox.Host("cat").WithInput(InputSource.OutputOf(first)).ResultAsync());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => first.StandardOutput.ReadAsync(new byte[1], Sandbox.Token).AsTask());
    }

    [Fact]
    public async Task Who_writes_to_a_program_that_has_ended_ends()
    {
        await using Container first = await Sandbox.Host("yes").WithOutput(OutputTarget.Pipe).BeginAsync();

        Assert.Equal("y", await Sandbox.Host("head", "-n", "1").WithInput(InputSource.OutputOf(first)).OutputAsync());

        Assert.False((await first.EndAsync()).Succeeded);
    }

    [Fact]
    public async Task Output_that_is_no_pipe_is_nobodys_input()
    {
        await using Container first = await Sandbox.SleeperAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => Sandbox.Host("cat").WithInput(InputSource.OutputOf(first)).ResultAsync());
    }
}
