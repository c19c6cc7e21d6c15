namespace Isolation.Images;

/// <summary>The writing side of a <see cref="ChunkStream"/>. For one thread, which it holds up where the other side is slower.</summary>
internal sealed class ChunkWriter(ChunkStream chunks, CancellationToken cancellationToken) : Stream
{
    private byte[]? _chunk;
    private int _count;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            _chunk ??= ChunkStream.Rent();
            int count = Math.Min(buffer.Length, ChunkStream.ChunkSize - _count);
            buffer[..count].CopyTo(_chunk.AsSpan(_count));
            _count += count;
            buffer = buffer[count..];
            if (_count == ChunkStream.ChunkSize) Flush();
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        if (_chunk is not { } chunk) return;
        (int count, _chunk, _count) = (_count, null, 0);
        if (count > 0) chunks.PutAsync(chunk, count, cancellationToken).AsTask().GetAwaiter().GetResult();
        else ChunkStream.Return(chunk);
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (_chunk is not null) ChunkStream.Return(_chunk);
        _chunk = null;
        base.Dispose(disposing);
    }
}
