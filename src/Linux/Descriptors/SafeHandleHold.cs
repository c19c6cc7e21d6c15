using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>Keeps a handle open for the length of a raw call: <c>using var held = descriptor.Hold();</c>.</summary>
internal static class SafeHandleHold
{
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    internal static HeldHandle Hold(this SafeHandle handle) => new(handle);
}

/// <summary>While it lives, the number is that of an open descriptor, whoever disposes the handle meanwhile.</summary>
internal readonly ref struct HeldHandle : IDisposable
{
    private readonly SafeHandle? _handle;

    internal HeldHandle(SafeHandle handle)
    {
        bool added = false;
        handle.DangerousAddRef(ref added);
        if (added) _handle = handle;
        Number = (int)handle.DangerousGetHandle();
    }

    internal int Number { get; }

    public void Dispose() => _handle?.DangerousRelease();
}
