using System.Buffers;
using System.Text;

namespace Isolation.Linux;

/// <summary>
/// A path as the kernel wants it: UTF-8, ended by a NUL. Short ones cost no allocation when a buffer is handed in, and
/// the others borrow one from the shared pool until they are disposed.
/// </summary>
internal ref struct NativePath : IDisposable
{
    private readonly Span<byte> _bytes;
    private byte[]? _rented;

    /// <exception cref="ArgumentException">The path contains a NUL, which would silently cut it short.</exception>
    internal NativePath(string path, Span<byte> buffer = default)
    {
        if (path.Contains('\0')) throw new ArgumentException("A path must not contain a NUL character.", nameof(path));
        int most = Encoding.UTF8.GetMaxByteCount(path.Length) + 1;
        if (buffer.Length < most) buffer = _rented = ArrayPool<byte>.Shared.Rent(most);
        int length = Encoding.UTF8.GetBytes(path, buffer);
        buffer[length] = 0;
        _bytes = buffer[..(length + 1)];
    }

    /// <summary>Without the NUL.</summary>
    internal readonly ReadOnlySpan<byte> Bytes => _bytes[..^1];

    /// <summary>For <c>fixed</c>: the first byte of the NUL-ended text.</summary>
    public readonly ref byte GetPinnableReference() => ref _bytes[0];

    public void Dispose()
    {
        if (_rented is { } rented) ArrayPool<byte>.Shared.Return(rented);
        _rented = null;
    }
}
