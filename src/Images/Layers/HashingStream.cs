using System.Security.Cryptography;

namespace Isolation.Images;

/// <summary>Passes on what it reads, and adds it to a hash: what is used is what was checked. Reads in large pieces, however small those that are asked for.</summary>
internal sealed class HashingStream(Stream source, IncrementalHash? hash, IProgress<long>? progress = null) : Stream
{
    private readonly byte[] _buffer = new byte[128 << 10];
    private int _at;
    private int _end;

    /// <summary>How many bytes came.</summary>
    internal long Count { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>What comes next, without taking it; fewer bytes only at the end.</summary>
    internal async ValueTask<ReadOnlyMemory<byte>> PeekAsync(int count, CancellationToken cancellationToken)
    {
        while (_end - _at < count)
        {
            int read = await source.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
            if (read == 0) break;
            Took(_buffer.AsSpan(_end, read));
            _end += read;
        }

        return _buffer.AsMemory(_at, Math.Min(count, _end - _at));
    }

    public override int Read(Span<byte> buffer)
    {
        if (_at == _end)
        {
            int read = source.Read(_buffer);
            Took(_buffer.AsSpan(0, read));
            (_at, _end) = (0, read);
        }

        return Give(buffer);
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_at == _end)
        {
            int read = await source.ReadAsync(_buffer, cancellationToken).ConfigureAwait(false);
            Took(_buffer.AsSpan(0, read));
            (_at, _end) = (0, read);
        }

        return Give(buffer.Span);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Give(Span<byte> buffer)
    {
        int count = Math.Min(buffer.Length, _end - _at);
        _buffer.AsSpan(_at, count).CopyTo(buffer);
        _at += count;
        return count;
    }

    private void Took(ReadOnlySpan<byte> bytes)
    {
        hash?.AppendData(bytes);
        Count += bytes.Length;
        progress?.Report(Count);
    }
}
