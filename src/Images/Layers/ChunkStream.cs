using System.Buffers;
using System.Threading.Channels;

namespace Isolation.Images;

/// <summary>What one thread has made ready for another, read as a stream. Each side is for one thread.</summary>
internal sealed class ChunkStream : Stream
{
    internal const int ChunkSize = 128 << 10;
    private const int Ahead = 32; // 4 MiB: where processors are few, each side runs for a while

    private readonly Channel<(byte[] Bytes, int Count)> _chunks = Channel.CreateBounded<(byte[], int)>(new BoundedChannelOptions(Ahead) { SingleReader = true, SingleWriter = true });
    private (byte[] Bytes, int Count) _current = ([], 0);
    private int _at;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    internal static byte[] Rent() => ArrayPool<byte>.Shared.Rent(ChunkSize);

    internal static void Return(byte[] chunk) => ArrayPool<byte>.Shared.Return(chunk);

    /// <summary>Hands a rented chunk over.</summary>
    internal ValueTask PutAsync(byte[] chunk, int count, CancellationToken cancellationToken) => _chunks.Writer.WriteAsync((chunk, count), cancellationToken);

    /// <summary>Nothing more comes; what is given is thrown from there on.</summary>
    internal void Complete(Exception? exception) => _chunks.Writer.TryComplete(exception);

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty) return 0;
        while (_at == _current.Count)
        {
            Release();
            if (!_chunks.Reader.TryRead(out _current))
            {
                // The caller's is a thread of its own, which has nothing else to do.
                if (!_chunks.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult()) return 0;
                if (!_chunks.Reader.TryRead(out _current)) continue;
            }
        }

        int count = Math.Min(buffer.Length, _current.Count - _at);
        _current.Bytes.AsSpan(_at, count).CopyTo(buffer);
        _at += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _at = _current.Count;
        Release();
        while (_chunks.Reader.TryRead(out _current)) Release();
        base.Dispose(disposing);
    }

    private void Release()
    {
        if (_current.Bytes is { Length: > 0 } bytes) Return(bytes); // null where nothing was left to be read
        (_current, _at) = (([], 0), 0);
    }
}
