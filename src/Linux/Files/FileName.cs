using System.Text;

namespace Isolation.Linux;

/// <summary>Names as the kernel has them: bytes that need not be UTF-8, ended by a NUL.</summary>
internal static class FileName
{
    internal static byte[] Of(string text) => [.. Encoding.UTF8.GetBytes(text), 0];

    /// <summary>For people: what is not UTF-8 becomes U+FFFD.</summary>
    internal static string Text(ReadOnlySpan<byte> name) => Encoding.UTF8.GetString(name[..^1]);
}
