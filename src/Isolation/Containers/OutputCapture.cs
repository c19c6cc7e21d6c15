using System.Buffers;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// Keeps what a container writes to a pipe, up to a limit; what is over is read and dropped, so that the writer never
/// blocks for it. Read on the events thread, so no pool thread waits.
/// </summary>
internal sealed class OutputCapture : IDescriptorHandler
{
    // One call takes this much at most, so that one container cannot keep the others waiting.
    private const int Turn = 256 << 10;

    private readonly FileDescriptor _pipe;
    private readonly int _limit;
    private readonly Registration _registration;
    private byte[] _buffer = [];
    private int _length;
    private long _dropped;
    private bool _ended;

    internal OutputCapture(FileDescriptor pipe, int limit)
    {
        (_pipe, _limit) = (pipe, limit);
        _registration = DescriptorEvents.Shared.Prepare(pipe, this);
    }

    internal void Start() => _registration.Start(Abi.EPOLLIN);

    public void OnReady(uint events) => Read(Turn);

    /// <summary>
    /// The writer is gone: takes what is left and lets go of the pipe. Whoever still holds its other end writes to nobody.
    /// </summary>
    internal CapturedOutput Finish()
    {
        Read(int.MaxValue);
        Close();
        byte[] bytes = _buffer.AsSpan(0, _length).ToArray();
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _length) = ([], 0);
        return new(bytes, _dropped);
    }

    private void Read(int most)
    {
        while (!_ended && most > 0)
        {
            if (_length == _buffer.Length && _length < _limit) Grow();
            Span<byte> free = _buffer.AsSpan(_length, Math.Min(_buffer.Length, _limit) - _length); // the pool gives more than is asked for
            bool keeps = free.Length > 0;
            if (!keeps) free = Drain.Buffer;
            nint count = Descriptors.TryRead(_pipe, free);
            if (Syscall.Is(count, Errno.EAGAIN)) return;
            if (count <= 0)
            {
                Close();
                return;
            }

            if (keeps) _length += (int)count;
            else _dropped += count;
            most -= (int)count;
        }
    }

    private void Grow()
    {
        int size = Math.Min(_limit, Math.Max(4096, _buffer.Length * 2));
        byte[] larger = ArrayPool<byte>.Shared.Rent(size);
        _buffer.AsSpan(0, _length).CopyTo(larger);
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    private void Close()
    {
        if (_ended) return;
        _ended = true;
        _registration.Dispose();
        _pipe.Dispose();
    }

    // Only the events thread reads, so one buffer for what nobody wants is enough.
    private static class Drain
    {
        [field: ThreadStatic]
        internal static byte[] Buffer => field ??= new byte[64 << 10];
    }
}
