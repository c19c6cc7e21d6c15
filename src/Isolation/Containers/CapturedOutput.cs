namespace Isolation;

/// <summary>What came out of one stream, and how many bytes were over the limit.</summary>
internal readonly record struct CapturedOutput(ReadOnlyMemory<byte> Bytes, long Dropped);
