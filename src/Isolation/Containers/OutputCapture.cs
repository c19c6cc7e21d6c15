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

    // Most outputs are short: their buffer is the pool's, and the result a copy. A long one is kept where it was read to,
    // and grows in large steps: what is not written to yet takes no memory, and what need not be copied no time.
    private const int FirstBuffer = 4 << 10, LongestPooled = 64 << 10, Step = 4;

    // What is on its way through a terminal is not counted as readable.
    private const int MoreThanATerminalHolds = 1 << 20;

    private readonly FileDescriptor _pipe;
    private readonly int _limit;
    private readonly bool _isTerminal;
    private readonly Registration _registration;
    private byte[] _buffer = [];
    private int _length;
    private long _dropped;
    private Exception? _fault;
    private PipeGrowth _growth;
    private bool _ended;

    internal OutputCapture(FileDescriptor pipe, int limit, bool isTerminal = false)
    {
        (_pipe, _limit, _isTerminal) = (pipe, limit, isTerminal);
        _registration = DescriptorEvents.Shared.Prepare(pipe, this);
    }

    internal void Start() => _registration.Start(Abi.EPOLLIN);

    public void OnReady(uint events) => Read(Turn, untilEmpty: false);

    /// <summary>What was written cannot be read: whoever waits for the program is told so when it has ended.</summary>
    public void OnFault(Exception exception) => _fault = exception;

    /// <summary>
    /// The writer is gone: takes what is left and lets go of the pipe. Whoever still holds its other end writes to nobody,
    /// and however much it writes meanwhile, no more is read than is there now.
    /// </summary>
    internal CapturedOutput Finish()
    {
        try
        {
            if (_fault is not null) throw _fault;
            if (!_ended) Read(_isTerminal ? MoreThanATerminalHolds : Descriptors.Readable(_pipe), untilEmpty: true);
        }
        finally
        {
            Close();
        }

        if (_length == 0 && _dropped == 0) return CapturedOutput.None;
        bool copies = IsPooled || _length < _buffer.Length / 2;
        CapturedOutput output = new(copies ? _buffer.AsSpan(0, _length).ToArray() : _buffer.AsMemory(0, _length), _dropped);
        Replace([]);
        return output;
    }

    private void Read(int most, bool untilEmpty)
    {
        while (!_ended && most > 0)
        {
            // A full buffer grows when more has come, and not for a read that finds the end.
            Span<byte> free = _buffer.AsSpan(_length, Math.Min(_buffer.Length, _limit) - _length); // the pool gives more than is asked for
            bool isFull = free.Length == 0;
            if (isFull) free = Drain.Buffer;
            nint count = Descriptors.TryRead(_pipe, free);
            if (Syscall.Is(count, Errno.EAGAIN)) return;

            // The master of a terminal whose last slave is closed says EIO where a pipe says end of file.
            if (_isTerminal && Syscall.Is(count, Errno.EIO)) count = 0;
            if (count < 0) throw Syscall.Failure(count, "read", "what the program wrote");
            if (count == 0)
            {
                Close();
                return;
            }

            if (isFull) Keep(free[..(int)count]);
            else _length += (int)count;
            most -= (int)count;
            _growth.Passed(_pipe, count);

            // A pipe that gave less than was asked for is empty, and says so when it is not.
            if (count < free.Length && !untilEmpty) return;
        }
    }

    /// <summary>Takes in what came when the buffer was full, up to the limit.</summary>
    private void Keep(ReadOnlySpan<byte> bytes)
    {
        int kept = Math.Min(bytes.Length, _limit - _length);
        _dropped += bytes.Length - kept;
        while (kept > 0)
        {
            if (_length == _buffer.Length) Grow();
            int part = Math.Min(kept, Math.Min(_buffer.Length, _limit) - _length);
            bytes[..part].CopyTo(_buffer.AsSpan(_length));
            bytes = bytes[part..];
            _length += part;
            kept -= part;
        }
    }

    private void Grow()
    {
        int size = (int)Math.Min(_limit, Math.Max(FirstBuffer, (long)_buffer.Length * Step));
        byte[] larger = size <= LongestPooled ? ArrayPool<byte>.Shared.Rent(size) : GC.AllocateUninitializedArray<byte>(size);
        _buffer.AsSpan(0, _length).CopyTo(larger);
        Replace(larger);
    }

    private bool IsPooled => _buffer.Length is > 0 and <= LongestPooled;

    private void Replace(byte[] other)
    {
        if (IsPooled) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = other;
    }

    /// <summary>Reads no more, and lets go of the pipe.</summary>
    internal void Close()
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
