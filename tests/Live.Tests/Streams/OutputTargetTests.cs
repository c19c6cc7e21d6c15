using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>Where a program's output goes.</summary>
public sealed class OutputTargetTests
{
    [Fact]
    public async Task A_full_pipe_makes_the_program_wait_for_its_reader()
    {
        const int Size = 10_000_000;
        TaskCompletionSource written = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using Container container = await Sandbox.HostShell($"head -c {Size} /dev/zero; echo written >&2")
            .WithOutput(OutputTarget.Pipe).WithError(OutputTarget.ToLines(_ => written.SetResult())).BeginAsync();
        byte[] buffer = new byte[1_000_000];

        await container.StandardOutput.ReadExactlyAsync(buffer, Sandbox.Token);
        Assert.False(written.Task.IsCompleted);

        long total = buffer.Length;
        for (int count; (count = await container.StandardOutput.ReadAsync(buffer, Sandbox.Token)) > 0;) total += count;
        Assert.Equal(Size, total);
        await written.Task.WaitAsync(Sandbox.Token);
    }

    [Fact]
    public async Task Discarded_output_goes_to_the_null_device()
    {
        ContainerResult result = await Sandbox.HostShell("echo out; x=$(readlink /proc/$$/fd/1); echo $x >&2").WithOutput(OutputTarget.Discard).ResultAsync();

        Assert.Equal("", result.StandardOutput);
        Assert.EndsWith("null\n", result.StandardError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_is_made_replaced_or_added_to()
    {
        using TemporaryDirectory directory = new();
        string file = directory["out"];

        await Sandbox.Host("echo", "first and longer").WithOutput(OutputTarget.ToFile(file)).OutputAsync();
        Assert.Equal("first and longer\n", File.ReadAllText(file));
        await Sandbox.Host("echo", "second").WithOutput(OutputTarget.ToFile(file)).OutputAsync();
        Assert.Equal("second\n", File.ReadAllText(file));
        await Sandbox.Host("echo", "third").WithOutput(OutputTarget.ToFile(file, append: true)).OutputAsync();
        Assert.Equal("second\nthird\n", File.ReadAllText(file));
    }

    [Fact]
    public async Task A_file_that_cannot_be_made_is_named()
    {
        ContainerException refusal = await Sandbox.Host("true").WithError(OutputTarget.ToFile("/no/such/directory/out")).RefusalAsync();

        Assert.Equal(Errno.ENOENT, refusal.Errno);
        Assert.Contains("/no/such/directory/out", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_go_to_a_delegate_with_their_origin()
    {
        ConcurrentQueue<OutputLine> lines = new();
        DateTimeOffset before = DateTimeOffset.UtcNow;

        ContainerResult result = await Sandbox.HostShell("echo one; echo; printf 'two\\r\\n'; printf last; echo err >&2")
            .WithOutput(OutputTarget.ToLines(lines.Enqueue)).WithError(OutputTarget.ToLines(lines.Enqueue)).ResultAsync();

        Assert.Equal("", result.StandardOutput);
        Assert.Equal(["one", "", "two", "last"], lines.Where(line => line.Origin == OutputOrigin.StandardOutput).Select(line => line.Text));
        Assert.Equal(["err"], lines.Where(line => line.Origin == OutputOrigin.StandardError).Select(line => line.Text));
        Assert.All(lines, line => Assert.InRange(line.Time, before, DateTimeOffset.UtcNow));
    }

    [Fact]
    public async Task All_lines_are_there_when_the_wait_ends()
    {
        List<string> lines = [];

        await Sandbox.Host("seq", "200000").WithOutput(OutputTarget.ToLines(line => lines.Add(line.Text))).OutputAsync();

        Assert.Equal(Enumerable.Range(1, 200_000).Select(number => $"{number}"), lines);
    }

    [Fact]
    public async Task A_line_that_is_very_long_comes_in_pieces_of_whole_characters()
    {
        // An odd number of bytes first, so that pieces that are cut at even places cut a character.
        string text = "x" + new string('é', 2_000_000);
        List<string> lines = [];

        await Sandbox.Host("cat").WithInput(InputSource.FromText(text + "\nnext\n")).WithOutput(OutputTarget.ToLines(line => lines.Add(line.Text))).OutputAsync();

        Assert.True(lines.Count > 2);
        Assert.Equal("next", lines[^1]);
        Assert.Equal(text, string.Concat(lines[..^1]));
    }

    [Fact]
    public async Task A_delegate_that_throws_is_not_called_again_and_fails_the_wait()
    {
        int calls = 0;
        await using Container container = await Sandbox.Host("yes").WithOutput(OutputTarget.ToLines(_ =>
        {
            calls++;
            throw new InvalidTimeZoneException("thrown by the test");
        })).BeginAsync();

        InvalidTimeZoneException failure = await Assert.ThrowsAsync<InvalidTimeZoneException>(() => container.EndAsync());

        Assert.Equal("thrown by the test", failure.Message);
        Assert.Equal(1, calls);
        Assert.False(container.IsRunning);
    }

    [Fact]
    public async Task A_stream_gets_every_byte_and_stays_open()
    {
        byte[] bytes = RandomNumberGenerator.GetBytes(3_000_001);
        using MemoryStream output = new(), error = new();

        await Sandbox.HostShell("cat; echo err >&2").WithInput(InputSource.FromBytes(bytes))
            .WithOutput(OutputTarget.ToStream(output)).WithError(OutputTarget.ToStream(error)).OutputAsync();

        Assert.True(output.ToArray().AsSpan().SequenceEqual(bytes));
        Assert.Equal("err\n", Encoding.UTF8.GetString(error.ToArray()));
        Assert.True(output.CanWrite);
    }

    [Fact]
    public async Task A_stream_that_fails_fails_the_wait()
    {
        await using TestStream broken = new(onWrite: _ => ValueTask.FromException(new IOException("broken for the test")));

        IOException failure = await Assert.ThrowsAsync<IOException>(() => Sandbox.Host("yes").WithOutput(OutputTarget.ToStream(broken)).ResultAsync());

        Assert.Equal("broken for the test", failure.Message);
    }

    [Fact]
    public async Task Errors_that_go_where_the_output_goes_are_in_order()
    {
        const string Script = "i=0; while [ $i -lt 200 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done";
        string expected = string.Concat(Enumerable.Range(0, 200).Select(number => $"out {number}\nerr {number}\n"));
        using TemporaryDirectory directory = new();

        ContainerResult captured = await Sandbox.HostShell(Script).WithError(OutputTarget.SameAsOutput).ResultAsync();
        await Sandbox.HostShell(Script).WithOutput(OutputTarget.ToFile(directory["both"])).WithError(OutputTarget.SameAsOutput).OutputAsync();
        await using Container piped = await Sandbox.HostShell(Script).WithOutput(OutputTarget.Pipe).WithError(OutputTarget.SameAsOutput).BeginAsync();

        Assert.Equal((expected, ""), (captured.StandardOutput, captured.StandardError));
        Assert.Equal(expected, File.ReadAllText(directory["both"]));
        Assert.Equal(expected, await piped.StandardOutput.ReadToEndAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_line_as_long_as_can_be_comes_whole_with_its_end_of_two(int less)
    {
        string longest = new('x', LinePump.Longest - less);
        List<string> lines = [];

        await Sandbox.Host("cat").WithInput(InputSource.FromText(longest + "\r\n" + longest + "\n\r\nlast\r\n")).WithOutput(OutputTarget.ToLines(line => lines.Add(line.Text))).OutputAsync();

        Assert.Equal([longest, longest, "", "last"], lines);
    }

    [Fact]
    public async Task A_longer_line_is_cut_where_no_end_is()
    {
        List<string> lines = [];

        await Sandbox.Host("cat").WithInput(InputSource.FromText(new string('x', LinePump.Longest - 1) + "\ry\r\nlast")).WithOutput(OutputTarget.ToLines(line => lines.Add(line.Text))).OutputAsync();

        Assert.Equal([new string('x', LinePump.Longest - 1), "\ry", "last"], lines);
    }

    [Fact]
    public async Task Inherited_output_is_the_callers_own()
    {
        string own = (await Sandbox.OnHostAsync("stat", "-L", "-c", "%d:%i", $"/proc/{Environment.ProcessId}/fd/1", $"/proc/{Environment.ProcessId}/fd/2", $"/proc/{Environment.ProcessId}/fd/0")).Output;

        ContainerResult output = await Sandbox.HostShell("x=$(stat -L -c %d:%i /proc/$$/fd/1); echo $x >&2").WithOutput(OutputTarget.Inherit).ResultAsync();
        ContainerResult error = await Sandbox.HostShell("x=$(stat -L -c %d:%i /proc/$$/fd/2); echo $x").WithError(OutputTarget.Inherit).ResultAsync();
        ContainerResult input = await Sandbox.HostShell("x=$(stat -L -c %d:%i /proc/$$/fd/0); echo $x").WithInput(InputSource.Inherit).ResultAsync();

        Assert.Equal(own, output.StandardError + error.StandardOutput + input.StandardOutput);
    }

    [Fact]
    public async Task What_is_not_the_containers_keeps_its_owner()
    {
        using TemporaryDirectory directory = new();
        string file = directory.Write("out", ""), before = (await Sandbox.OnHostAsync("stat", "-c", "%u:%g", file, "/dev/null")).Output;
        foreach (OutputTarget target in (OutputTarget[])[OutputTarget.ToFile(file), OutputTarget.Discard])
        {
            ContainerBuilder builder = Sandbox.HostShell("echo out").WithUser(1000, 1000).WithOutput(target).WithError(OutputTarget.SameAsOutput);
            SubordinateRange.Use(builder);
            await builder.OutputAsync();
        }

        if (Lane.IsRoot) await Sandbox.HostShell("echo out").WithUserNs(NamespaceSource.Host).WithUser(1000, 1000).WithOutput(OutputTarget.ToFile(file)).OutputAsync();

        Assert.Equal(before, (await Sandbox.OnHostAsync("stat", "-c", "%u:%g", file, "/dev/null")).Output);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Disposal_does_not_wait_for_the_callers_code(bool lines)
    {
        CancellationToken token = Sandbox.Token;
        using ManualResetEventSlim called = new(), go = new();
        void Block()
        {
            called.Set();
            go.Wait(token);
        }

        OutputTarget target = lines ? OutputTarget.ToLines(_ => Block()) : OutputTarget.ToStream(new TestStream(onWrite: _ =>
        {
            Block();
            return ValueTask.CompletedTask;
        }));
        Container container = await Sandbox.Host("yes").WithOutput(target).BeginAsync();
        await Task.Run(() => called.Wait(token), token);

        try
        {
            await container.DisposeAsync().AsTask().WaitAsync(Sandbox.Token);
            Assert.Equal(ContainerOutcome.Killed, (await container.EndAsync()).Outcome);
        }
        finally
        {
            go.Set();
        }
    }

    [Fact]
    public async Task A_pipe_that_nobody_could_read_is_refused()
    {
        await using Container container = await Sandbox.SleeperAsync();

        foreach (ContainerBuilder builder in (ContainerBuilder[])[Sandbox.Host("true").WithOutput(OutputTarget.Pipe), Sandbox.Host("true").WithError(OutputTarget.Pipe), Sandbox.Host("true").WithInput(InputSource.Pipe)])
            Assert.Contains("StartAsync", (await Assert.ThrowsAsync<InvalidOperationException>(() => builder.ResultAsync())).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => container.NewProcess().WithCommand("true").WithOutput(OutputTarget.Pipe).RunAsync(Sandbox.Token));
    }

    [Fact]
    public void Output_cannot_go_where_it_goes_itself() =>
        Assert.Throws<ArgumentException>(() => Sandbox.Host("true").WithOutput(OutputTarget.SameAsOutput));
}
