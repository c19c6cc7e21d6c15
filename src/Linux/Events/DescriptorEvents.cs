using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>
/// Waits for descriptors to become ready: one thread and one epoll descriptor for the whole process, however many
/// containers it runs. Both come into being with the first registration and stay; the thread is a background thread.
/// Safe from any thread.
/// </summary>
internal sealed unsafe partial class DescriptorEvents
{
    private readonly Lock _starting = new();
    private FileDescriptor? _epoll;
    private Thread? _thread;

    internal static DescriptorEvents Shared { get; } = new();

    internal RegistrationTable Table { get; } = new();

    internal bool IsEventsThread => Thread.CurrentThread == _thread;

    /// <summary>
    /// Watches a descriptor, level-triggered unless EPOLLET is among the events, until the registration is disposed. The
    /// handler may be called before this returns; where it needs the registration at hand, use <see cref="Prepare"/>.
    /// </summary>
    /// <param name="descriptor">Stays open while it is watched, even if it is disposed. One registration a descriptor.</param>
    /// <param name="events">EPOLLIN and the like.</param>
    /// <param name="handler">Called on the events thread.</param>
    /// <exception cref="LinuxException">
    /// EPERM: this kind of file is always ready (regular files, directories). EEXIST: the descriptor is registered already.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The descriptor is closed.</exception>
    internal Registration Add(SafeHandle descriptor, uint events, IDescriptorHandler handler)
    {
        var registration = Prepare(descriptor, handler);
        registration.Start(events);
        return registration;
    }

    /// <summary>A registration that watches nothing before its <see cref="Registration.Start"/>, so that the handler can know it first.</summary>
    internal Registration Prepare(SafeHandle descriptor, IDescriptorHandler handler) => new(this, descriptor, handler);

    /// <summary>Adds, changes or removes one entry of the kernel's list.</summary>
    internal static nint Control(FileDescriptor epoll, int operation, SafeHandle descriptor, uint events, ulong token)
    {
        if (epoll.IsClosed) return -(int)Errno.EBADF; // abandoned by the events thread
        byte* entry = stackalloc byte[EpollEvent.MaxSize];
        EpollEvent.Write(entry, events, token);
        return Syscall.epoll_ctl(epoll.Number, operation, (int)descriptor.DangerousGetHandle(), entry);
    }

    /// <summary>The epoll descriptor; starts the thread the first time, and after it has failed.</summary>
    internal FileDescriptor Started()
    {
        if (Volatile.Read(ref _epoll) is { } running) return running;
        lock (_starting)
        {
            if (_epoll is not null) return _epoll;
            var epoll = new FileDescriptor((int)Syscall.Check(Syscall.epoll_create1(Abi.EPOLL_CLOEXEC), "epoll_create1"));
            _thread = new Thread(() => Dispatch(epoll)) { IsBackground = true, Name = "isolation-events" };
            // Unsafe: the thread outlives the caller, and must not keep its execution context (async locals) alive.
            _thread.UnsafeStart();
            Volatile.Write(ref _epoll, epoll);
            return epoll;
        }
    }
}
