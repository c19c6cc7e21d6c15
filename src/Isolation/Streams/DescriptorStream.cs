using Isolation.Linux;

namespace Isolation;

/// <summary>
/// A pipe or terminal as a stream. Reading and writing asynchronously blocks no thread: the one events thread of the
/// process waits for all of them. One read and one write may be under way at once.
/// </summary>
internal sealed class DescriptorStream : Stream
{
    private readonly FileDescriptor _descriptor;
    private readonly bool _canRead;
    private readonly bool _canWrite;
    private readonly CancellationTokenSource _disposed = new();
    private readonly CancellationTokenSource _ended = new();
    private int _used;

    /// <summary>The descriptor belongs to the stream from now on; it is made non-blocking when it is first used.</summary>
    internal DescriptorStream(FileDescriptor descriptor, bool canRead, bool canWrite) =>
        (_descriptor, _canRead, _canWrite) = (descriptor, canRead, canWrite);

    public override bool CanRead => _canRead && !_disposed.IsCancellationRequested;

    public override bool CanWrite => _canWrite && !_disposed.IsCancellationRequested;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>
    /// Gives the descriptor away, unread: it becomes another program's, and this stream reads nothing any more.
    /// </summary>
    /// <exception cref="InvalidOperationException">It was read or given away already.</exception>
    internal FileDescriptor Take()
    {
        if (Interlocked.Exchange(ref _used, 1) != 0) throw new InvalidOperationException("The stream was read, disposed or joined to another program already.");
        _disposed.Cancel();
        return _descriptor;
    }

    /// <summary>
    /// The program has ended: what is there is still read, and then it is the end, also where some other process keeps
    /// the pipe open.
    /// </summary>
    internal void EndWhenEmpty() => _ended.Cancel();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_canRead) throw new NotSupportedException("This stream is written to.");
        ObjectDisposedException.ThrowIf(_disposed.IsCancellationRequested, this);
        cancellationToken.ThrowIfCancellationRequested();
        Use();
        while (true)
        {
            bool ended = _ended.IsCancellationRequested; // asked first: what was written before the end is read after it
            nint count = Try(static (descriptor, bytes) => Descriptors.TryRead(descriptor, bytes.Span), buffer);
            if (count >= 0) return (int)count;

            // The master of a terminal whose last slave is closed says EIO where a pipe says end of file.
            if (Syscall.Is(count, Errno.EIO)) return 0;
            if (!Syscall.Is(count, Errno.EAGAIN)) throw Syscall.Failure(count, "read", "a container's stream");
            if (ended) return 0;
            await WaitAsync(Abi.EPOLLIN, cancellationToken).ConfigureAwait(false);
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_canWrite) throw new NotSupportedException("This stream is read from.");
        ObjectDisposedException.ThrowIf(_disposed.IsCancellationRequested, this);
        cancellationToken.ThrowIfCancellationRequested();
        Use();
        while (!buffer.IsEmpty)
        {
            nint count = Try(static (descriptor, bytes) => Descriptors.TryWrite(descriptor, bytes.Span), buffer);
            if (count >= 0)
            {
                buffer = buffer[(int)count..];
                continue;
            }

            if (!Syscall.Is(count, Errno.EAGAIN)) throw Syscall.Failure(count, "write", "a container's stream");
            await WaitAsync(Abi.EPOLLOUT, cancellationToken).ConfigureAwait(false);
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override int Read(Span<byte> buffer)
    {
        byte[] bytes = new byte[buffer.Length];
        int count = Read(bytes, 0, bytes.Length);
        bytes.AsSpan(0, count).CopyTo(buffer);
        return count;
    }

    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Write(ReadOnlySpan<byte> buffer) => Write(buffer.ToArray(), 0, buffer.Length);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        // What waits is ended first, and lets go of the descriptor itself.
        if (disposing && !_disposed.IsCancellationRequested)
        {
            Volatile.Write(ref _used, 1);
            _disposed.Cancel();
            _descriptor.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Use()
    {
        if (Interlocked.Exchange(ref _used, 1) == 0) NonBlocking.Set(_descriptor);
    }

    private nint Try<T>(Func<FileDescriptor, T, nint> call, T buffer)
    {
        try
        {
            return call(_descriptor, buffer);
        }
        catch (ObjectDisposedException)
        {
            throw new ObjectDisposedException(nameof(DescriptorStream), "The stream was disposed.");
        }
    }

    private async ValueTask WaitAsync(uint events, CancellationToken cancellationToken)
    {
        // A descriptor has one registration; a terminal that is read and written at once needs a copy for each side.
        using FileDescriptor? copy = _canRead && _canWrite ? Descriptors.Duplicate(_descriptor) : null;
        using CancellationTokenSource linked = events == Abi.EPOLLIN
            ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposed.Token, _ended.Token)
            : CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposed.Token);
        try
        {
            await DescriptorEvents.Shared.WaitAsync(copy ?? _descriptor, events, linked.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && !_disposed.IsCancellationRequested)
        {
            // The program has ended: looked at once more.
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ObjectDisposedException(nameof(DescriptorStream), "The stream was disposed while it was waited for.");
        }
    }
}
