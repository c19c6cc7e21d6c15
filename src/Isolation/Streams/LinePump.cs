using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace Isolation;

/// <summary>Cuts a stream into lines.</summary>
internal static class LinePump
{
    /// <summary>A line longer than this, in bytes and without its end, comes in pieces.</summary>
    internal const int Longest = 1 << 20;

    internal static async Task RunAsync(Stream stream, OutputOrigin origin, Func<OutputLine, CancellationToken, ValueTask> onLine, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(!stream.CanRead, stream);
        PipeReader reader = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));
        try
        {
            while (true)
            {
                ReadResult read = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                ReadOnlySequence<byte> buffer = read.Buffer;
                while (TryTake(ref buffer, read.IsCompleted, out string text))
                    await onLine(new(origin, text, DateTimeOffset.UtcNow), cancellationToken).ConfigureAwait(false);
                reader.AdvanceTo(buffer.Start, buffer.End);
                if (read.IsCompleted) return;
            }
        }
        finally
        {
            await reader.CompleteAsync().ConfigureAwait(false);
        }
    }

    private static bool TryTake(ref ReadOnlySequence<byte> buffer, bool isLast, out string text)
    {
        text = "";
        if (buffer.IsEmpty) return false;
        SequencePosition? end = buffer.PositionOf((byte)'\n');
        if (end is { } newline)
        {
            ReadOnlySequence<byte> line = WithoutReturn(buffer.Slice(0, newline));
            if (line.Length <= Longest)
            {
                text = Encoding.UTF8.GetString(line);
                buffer = buffer.Slice(buffer.GetPosition(1, newline));
                return true;
            }
        }

        // Two bytes more than a line holds may be its end.
        if (end is null && !isLast && buffer.Length < Longest + 2) return false;
        ReadOnlySequence<byte> piece = buffer.Length <= Longest ? buffer : buffer.Slice(0, Longest - Unfinished(buffer.Slice(0, Longest)));
        text = Encoding.UTF8.GetString(piece);
        buffer = buffer.Slice(piece.End);
        return true;
    }

    private static ReadOnlySequence<byte> WithoutReturn(ReadOnlySequence<byte> line) =>
        !line.IsEmpty && line.Slice(line.Length - 1).FirstSpan[0] == '\r' ? line.Slice(0, line.Length - 1) : line;

    /// <summary>How many of the last bytes begin something whose rest is beyond: a character, or the end of a line.</summary>
    private static int Unfinished(ReadOnlySequence<byte> buffer)
    {
        const int LongestCharacter = 4;
        Span<byte> last = stackalloc byte[LongestCharacter];
        buffer.Slice(buffer.Length - LongestCharacter).CopyTo(last);
        if (last[^1] == '\r') return 1;
        for (int count = 1; count < LongestCharacter; count++)
        {
            byte value = last[^count];
            if (value < 0x80) return 0;
            if (value >= 0xC0) return count < (value < 0xE0 ? 2 : value < 0xF0 ? 3 : 4) ? count : 0;
        }

        return 0;
    }
}
