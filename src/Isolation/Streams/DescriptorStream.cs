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
    private readonly Readiness _readiness;
    private PipeGrowth _growth;
    private volatile bool _isDisposed;
    private volatile Exception? _failure;
    private volatile bool _hasEnded;
    private long _left; // once the program has ended, how much is still read; at most what its terminal or pipe held
    private int _used;

    /// <summary>The descriptor belongs to the stream from now on; it is made non-blocking when it is first used.</summary>
    internal DescriptorStream(FileDescriptor descriptor, bool canRead, bool canWrite)
    {
        (_descriptor, _canRead, _canWrite) = (descriptor, canRead, canWrite);
        _readiness = new(DescriptorEvents.Shared, descriptor, (canRead ? Abi.EPOLLIN : 0) | (canWrite ? Abi.EPOLLOUT : 0));
    }

    // One that has failed may be read and written as before, and says why it cannot be: who only asks here would hear that it is disposed.
    public override bool CanRead => _canRead && IsUsable;

    public override bool CanWrite => _canWrite && IsUsable;

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
        _isDisposed = true;
        _readiness.Dispose();
        return _descriptor;
    }

    /// <summary>There is no program at the other end, or nobody knows any more: whoever reads or writes is told why.</summary>
    internal void Fail(Exception exception)
    {
        if (!_isDisposed) _failure = exception;
        Dispose();
    }

    /// <summary>
    /// The program has ended: what is there is still read, and then it is the end, also where some other process keeps
    /// the pipe open, or goes on writing to it.
    /// </summary>
    internal void EndWhenEmpty()
    {
        // A terminal counts what has passed its line discipline only, so its bound is one that it cannot hold.
        const int MoreThanATerminalHolds = 1 << 20;
        try
        {
            Volatile.Write(ref _left, _canWrite ? MoreThanATerminalHolds : Descriptors.Readable(_descriptor));
        }
        catch (ObjectDisposedException)
        {
            return; // disposed, or given away and closed there
        }

        _hasEnded = true;
        _readiness.Wake();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_canRead) throw new NotSupportedException("This stream is written to.");
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        Use();
        while (true)
        {
            int edge = _readiness.Reading.Edge;
            ThrowIfDisposed();
            bool ended = _hasEnded; // asked first: what was written before the end is read after it
            if (ended)
            {
                long left = Volatile.Read(ref _left);
                if (left == 0 && !buffer.IsEmpty) return 0;
                if (left < buffer.Length) buffer = buffer[..(int)left];
            }

            nint count = Try(static (descriptor, bytes) => Descriptors.TryRead(descriptor, bytes.Span), buffer);
            if (count >= 0)
            {
                if (ended) Interlocked.Add(ref _left, -count);
                else _growth.Passed(_descriptor, count);
                return (int)count;
            }

            // The master of a terminal whose last slave is closed says EIO where a pipe says end of file.
            if (_canWrite && Syscall.Is(count, Errno.EIO)) return 0;
            if (!Syscall.Is(count, Errno.EAGAIN)) throw Syscall.Failure(count, "read", "a container's stream");
            if (ended) return 0;
            await _readiness.Reading.WaitAsync(edge, cancellationToken).ConfigureAwait(false);
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_canWrite) throw new NotSupportedException("This stream is read from.");
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        Use();
        while (!buffer.IsEmpty)
        {
            int edge = _readiness.Writing.Edge;
            ThrowIfDisposed();
            nint count = Try(static (descriptor, bytes) => Descriptors.TryWrite(descriptor, bytes.Span), buffer);
            if (count >= 0)
            {
                buffer = buffer[(int)count..];
                continue;
            }

            // A program that has ended reads no more, even where some other process keeps its input open.
            if (Syscall.Is(count, Errno.EAGAIN) && _hasEnded) count = -(int)Errno.EPIPE;
            if (!Syscall.Is(count, Errno.EAGAIN)) throw Syscall.Failure(count, "write", "a container's stream");
            await _readiness.Writing.WaitAsync(edge, cancellationToken).ConfigureAwait(false);
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
        if (disposing && !_isDisposed)
        {
            Volatile.Write(ref _used, 1);
            _isDisposed = true;
            _readiness.Dispose();
            _descriptor.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>Its descriptor is let go of.</summary>
    internal bool IsClosed => _descriptor.IsClosed;

    private bool IsUsable => !_isDisposed || _failure is not null;

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
            throw Disposed();
        }
    }

    // Also a wait that the end of the stream has ended looks here first.
    private void ThrowIfDisposed()
    {
        if (_isDisposed) throw Disposed();
    }

    private Exception Disposed() => _failure ?? new ObjectDisposedException(nameof(DescriptorStream), "The stream was disposed.");
}
