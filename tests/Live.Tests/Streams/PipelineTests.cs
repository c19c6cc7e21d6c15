using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace Isolation.Live.Tests;

/// <summary>Streams of a program as pipes of System.IO.Pipelines.</summary>
public sealed class PipelineTests
{
    [Fact]
    public async Task What_is_written_and_flushed_comes_back()
    {
        await using Container container = await Sandbox.HostShell("while read line; do echo out $line; echo err $line >&2; done")
            .WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe).WithError(OutputTarget.Pipe).BeginAsync();

        await container.StandardInputWriter.WriteAsync("one\n"u8.ToArray(), Sandbox.Token);
        Assert.Equal("out one\n", await ReadAsync(container.StandardOutputReader, 8));
        Assert.Equal("err one\n", await ReadAsync(container.StandardErrorReader, 8));
        await container.StandardInputWriter.WriteAsync("two\n"u8.ToArray(), Sandbox.Token);
        await container.StandardInputWriter.CompleteAsync();

        Assert.Equal("out two\n", await ReadAsync(container.StandardOutputReader, 8));
        ReadResult last = await container.StandardOutputReader.ReadAsync(Sandbox.Token);
        Assert.True(last.IsCompleted && last.Buffer.IsEmpty);
        Assert.Equal(0, (await container.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task Each_is_made_once()
    {
        await using Container container = await Sandbox.Host("cat").WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe).WithError(OutputTarget.Pipe).BeginAsync();

        object[][] all = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run<object[]>(() => [container.StandardInputWriter, container.StandardOutputReader, container.StandardErrorReader])));

        Assert.All(all, one => Assert.Equal(all[0], one, ReferenceEqualityComparer.Instance));
    }

    [Fact]
    public async Task A_reader_that_is_completed_closes_the_output()
    {
        await using Container container = await Sandbox.Host("yes").WithOutput(OutputTarget.Pipe).BeginAsync();

        await container.StandardOutputReader.CompleteAsync();

        Assert.False((await container.EndAsync()).Succeeded);
    }

    [Fact]
    public async Task They_are_not_to_be_had_where_the_stream_is_no_pipe_or_was_disposed()
    {
        await using Container plain = await Sandbox.SleeperAsync();
        Assert.Contains("WithInput", Assert.Throws<InvalidOperationException>(() => plain.StandardInputWriter).Message, StringComparison.Ordinal);
        Assert.Contains("WithOutput", Assert.Throws<InvalidOperationException>(() => plain.StandardOutputReader).Message, StringComparison.Ordinal);
        Assert.Contains("WithError", Assert.Throws<InvalidOperationException>(() => plain.StandardErrorReader).Message, StringComparison.Ordinal);

        Container container = await Sandbox.Host("cat").WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe).WithError(OutputTarget.Pipe).BeginAsync();
        PipeReader before = container.StandardOutputReader;
        await container.DisposeAsync();

        Assert.Throws<ObjectDisposedException>(() => container.StandardInputWriter);
        Assert.Throws<ObjectDisposedException>(() => container.StandardErrorReader);
        Assert.Same(before, container.StandardOutputReader);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => before.ReadAsync(Sandbox.Token).AsTask());
    }

    private static async Task<string> ReadAsync(PipeReader reader, int count)
    {
        ReadResult result = await reader.ReadAtLeastAsync(count, Sandbox.Token);
        string text = Encoding.UTF8.GetString(result.Buffer);
        reader.AdvanceTo(result.Buffer.End);
        return text;
    }
}
