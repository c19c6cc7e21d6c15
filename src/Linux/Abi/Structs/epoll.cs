using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>
/// sys/epoll.h, <c>struct epoll_event</c> on x86-64, the one architecture where the kernel packs it (so that a 32-bit
/// program's layout serves a 64-bit kernel): 12 bytes.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct epoll_event_x64
{
    internal uint events;
    internal ulong data;
}

/// <summary>sys/epoll.h, <c>struct epoll_event</c> on every other architecture: 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct epoll_event
{
    internal uint events;
    internal ulong data;
}

/// <summary>Reads and writes <c>struct epoll_event</c> as this machine lays it out.</summary>
internal static unsafe class EpollEvent
{
    internal static readonly bool Packed = TargetAbi.Current.Architecture == Architecture.X64;

    internal static readonly int Size = Packed ? sizeof(epoll_event_x64) : sizeof(epoll_event);

    /// <summary>Room for one, whatever the layout.</summary>
    internal const int MaxSize = 16;

    internal static void Write(byte* target, uint events, ulong data)
    {
        if (Packed) *(epoll_event_x64*)target = new epoll_event_x64 { events = events, data = data };
        else *(epoll_event*)target = new epoll_event { events = events, data = data };
    }

    internal static (uint Events, ulong Data) Read(byte* source, int index)
    {
        if (Packed)
        {
            var packed = ((epoll_event_x64*)source)[index];
            return (packed.events, packed.data);
        }
        var aligned = ((epoll_event*)source)[index];
        return (aligned.events, aligned.data);
    }
}
