using System.Text;

namespace Isolation.Live.Tests;

internal static class Streams
{
    internal static async Task SendAsync(this Stream stream, string text) => await stream.WriteAsync(Encoding.UTF8.GetBytes(text), Sandbox.Token);

    /// <summary>Reads until the text was read; fails where the stream ends before.</summary>
    internal static async Task<string> ReadUntilAsync(this Stream stream, string text)
    {
        StringBuilder all = new();
        byte[] buffer = new byte[4096];
        while (!all.ToString().Contains(text, StringComparison.Ordinal))
        {
            int count = await stream.ReadAsync(buffer, Sandbox.Token);
            Assert.True(count > 0, $"the stream ended without '{text}': {all}");
            all.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }

        return all.ToString();
    }

    internal static async Task<string> ReadToEndAsync(this Stream stream)
    {
        using StreamReader reader = new(stream, Encoding.UTF8, leaveOpen: true);
        return await reader.ReadToEndAsync(Sandbox.Token);
    }
}

/// <summary>A stream of which one operation is as the test says.</summary>
internal sealed class TestStream(Func<Memory<byte>, ValueTask<int>>? onRead = null, Func<ReadOnlyMemory<byte>, ValueTask>? onWrite = null) : Stream
{
    public override bool CanRead => onRead is not null;

    public override bool CanWrite => onWrite is not null;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => onRead!(buffer);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => onWrite!(buffer);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
