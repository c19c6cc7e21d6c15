using System.Diagnostics;
using System.Globalization;
using System.Text;
using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>Pipes in the caller's hands.</summary>
public sealed class PipeTests
{
    [Fact]
    public async Task A_reader_that_stops_does_not_hold_up_the_disposal()
    {
        Container container = await Sandbox.Host("yes").WithOutput(OutputTarget.Pipe).BeginAsync();
        await container.StandardOutput.ReadExactlyAsync(new byte[10], Sandbox.Token);

        await container.DisposeAsync().AsTask().WaitAsync(Sandbox.Token);

        Assert.Equal(ContainerOutcome.Killed, (await container.EndAsync()).Outcome);
    }

    [Fact]
    public async Task A_stream_that_has_failed_says_why_to_who_begins_to_read_it()
    {
        (FileDescriptor read, FileDescriptor write) = Descriptors.Pipe();
        using (write)
        {
            using DescriptorStream stream = new(read, canRead: true, canWrite: false);
            InvalidOperationException failure = new("it failed");

            stream.Fail(failure);

            Assert.True(stream.CanRead);
            Assert.Same(failure, await Assert.ThrowsAsync<InvalidOperationException>(() => LinePump.RunAsync(stream, OutputOrigin.StandardOutput, (_, _) => ValueTask.CompletedTask, Sandbox.Token)));
            using StreamReader reader = new(stream, leaveOpen: true);
            Assert.Same(failure, await Assert.ThrowsAsync<InvalidOperationException>(() => reader.ReadLineAsync(Sandbox.Token).AsTask()));
        }
    }

    [Fact]
    public async Task A_program_that_closes_its_output_runs_on()
    {
        await using Container container = await Sandbox.HostShell("exec >&-; read answer; exit $answer")
            .WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe).BeginAsync();

        Assert.Equal(0, await container.StandardOutput.ReadAsync(new byte[1], Sandbox.Token));
        Assert.True(container.IsRunning);
        await container.StandardInput.SendAsync("7\n");

        Assert.Equal(7, (await container.EndAsync()).ExitCode);
    }

    [Theory]
    [InlineData("pipe")]
    [InlineData("lines")]
    [InlineData("stream")]
    public async Task A_grandchild_that_keeps_the_pipe_does_not_hold_up_the_wait(string target)
    {
        using TemporaryDirectory directory = new();
        using MemoryStream stream = new();
        await using Container container = await Sandbox.HostShell("sleep 1000 & echo $! > /data/grandchild; echo out").WithPidNs(NamespaceSource.Host)
            .WithBind(directory.Path, "/data")
            .WithOutput(target switch { "pipe" => OutputTarget.Pipe, "lines" => OutputTarget.ToLines(_ => { }), _ => OutputTarget.ToStream(stream) }).BeginAsync();

        ContainerResult result = await container.EndAsync();

        Assert.Equal(0, result.ExitCode);
        using Process grandchild = Process.GetProcessById(int.Parse(File.ReadAllText(directory["grandchild"]), CultureInfo.InvariantCulture));
        Assert.False(grandchild.HasExited);
        if (target == "pipe") Assert.Equal("out\n", await container.StandardOutput.ReadUntilAsync("\n"));
        if (target == "stream") Assert.Equal("out\n", Encoding.UTF8.GetString(stream.ToArray()));
        await container.DisposeAsync().AsTask().WaitAsync(Sandbox.Token);
        grandchild.Kill();
        await Processes.EndsAsync(grandchild.Id);
    }

    [Fact]
    public async Task Writing_to_a_program_that_has_ended_says_so()
    {
        await using Container container = await Sandbox.Host("true").WithInput(InputSource.Pipe).BeginAsync();
        await container.EndAsync();

        LinuxException failure = await Assert.ThrowsAsync<LinuxException>(() => container.StandardInput.SendAsync("x"));
        Assert.Equal(Errno.EPIPE, failure.Errno);
        Assert.Equal(Errno.EPIPE, Assert.Throws<LinuxException>(() => container.StandardInput.Write("x"u8)).Errno);
    }

    [Fact]
    public async Task Streams_can_be_used_synchronously()
    {
        await using Container container = await Sandbox.Host("cat").WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe).BeginAsync();
        byte[] buffer = new byte[3];

        container.StandardInput.Write("abc"u8);
        container.StandardInput.Flush();
        container.StandardOutput.ReadExactly(buffer);
        Assert.Equal("abc", Encoding.UTF8.GetString(buffer));
        container.StandardInput.Write([(byte)'d', (byte)'e'], 1, 1);
        container.StandardInput.Dispose();
        Assert.Equal(1, container.StandardOutput.Read(buffer, 0, 3));
        Assert.Equal((byte)'e', buffer[0]);
        Assert.Equal(0, container.StandardOutput.Read(buffer));
    }

    [Fact]
    public async Task A_read_can_be_given_up_and_the_next_one_reads()
    {
        await using Container container = await Sandbox.Host("cat").WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe).BeginAsync();
        using CancellationTokenSource source = new();
        Task<int> read = container.StandardOutput.ReadAsync(new byte[10], source.Token).AsTask();
        Assert.False(read.IsCompleted);

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        await container.StandardInput.SendAsync("still\n");
        Assert.Equal("still\n", await container.StandardOutput.ReadUntilAsync("\n"));
    }

    [Fact]
    public async Task After_disposal_streams_are_closed()
    {
        Container container = await Sandbox.Host("cat").WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe).WithError(OutputTarget.Pipe).BeginAsync();
        Task<int> pending = container.StandardOutput.ReadAsync(new byte[10], Sandbox.Token).AsTask();
        Stream input = container.StandardInput, output = container.StandardOutput;

        await container.StandardError.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => container.StandardError.ReadAsync(new byte[1], Sandbox.Token).AsTask());
        await container.DisposeAsync();

        // It saw the end of the program, or the disposal, whichever came first.
        Exception? outcome = await Record.ExceptionAsync(() => pending);
        Assert.True(outcome is null or ObjectDisposedException, $"{outcome}");
        Assert.False(input.CanWrite);
        Assert.False(output.CanRead);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => input.SendAsync("x"));
        Assert.Throws<ObjectDisposedException>(() => input.Write("x"u8));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => output.ReadAsync(new byte[1], Sandbox.Token).AsTask());
        Assert.Throws<ObjectDisposedException>(() => output.Read(new byte[1]));
    }

    [Fact]
    public async Task A_stream_that_is_no_pipe_is_not_to_be_had()
    {
        await using Container container = await Sandbox.SleeperAsync();

        Assert.Contains("WithInput", Assert.Throws<InvalidOperationException>(() => container.StandardInput).Message, StringComparison.Ordinal);
        Assert.Contains("WithOutput", Assert.Throws<InvalidOperationException>(() => container.StandardOutput).Message, StringComparison.Ordinal);
        Assert.Contains("WithError", Assert.Throws<InvalidOperationException>(() => container.StandardError).Message, StringComparison.Ordinal);
    }
}
