using System.Text;

namespace Isolation;

/// <summary>What came out of one stream, and how many bytes were over the limit. Safe from any thread.</summary>
internal sealed class CapturedOutput(ReadOnlyMemory<byte> bytes, long dropped)
{
    private string? _text;

    internal static CapturedOutput None { get; } = new(default, 0);

    internal ReadOnlyMemory<byte> Bytes => bytes;

    internal long Dropped => dropped;

    internal string Text => _text ??= Encoding.UTF8.GetString(bytes.Span);
}
