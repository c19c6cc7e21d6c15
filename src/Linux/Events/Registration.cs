using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>
/// One descriptor being watched. It keeps the descriptor open until it is disposed, so that its number cannot come to
/// mean another file while the kernel still watches it. Safe from any thread, <see cref="IDescriptorHandler.OnReady"/>
/// included; it stays until somebody disposes it, referenced or not.
/// </summary>
internal sealed class Registration : IDisposable
{
    private const int Running = 1;
    private const int Removed = 2;

    private readonly DescriptorEvents _owner;
    private readonly SafeHandle _descriptor;
    private readonly IDescriptorHandler _handler;
    private FileDescriptor? _epoll;
    private uint _interest;
    private int _state;

    internal Registration(DescriptorEvents owner, SafeHandle descriptor, IDescriptorHandler handler)
    {
        _owner = owner;
        _descriptor = descriptor;
        _handler = handler;
    }

    /// <summary>What epoll gives back for it; set by the table.</summary>
    internal ulong Token { get; set; }

    /// <summary>Where it is registered; null before <see cref="Start"/>.</summary>
    internal FileDescriptor? Epoll => _epoll;

    /// <summary>Begins to watch. Does nothing after <see cref="Dispose"/>.</summary>
    /// <exception cref="LinuxException">
    /// EPERM: this kind of file is always ready. EEXIST: the descriptor is registered already.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The descriptor is closed.</exception>
    internal void Start(uint events)
    {
        lock (this)
        {
            if (IsRemoved || _epoll is not null) return;
            var epoll = _owner.Started();
            bool added = false;
            _descriptor.DangerousAddRef(ref added);
            _interest = events;
            // Found in the table before the kernel can name it: the first event may come before epoll_ctl returns.
            ulong token = _owner.Table.Add(this);
            nint result = DescriptorEvents.Control(epoll, Abi.EPOLL_CTL_ADD, _descriptor, events, token);
            if (Syscall.IsError(result))
            {
                string arguments = $"EPOLL_CTL_ADD, {_descriptor.DangerousGetHandle()}";
                Interlocked.Or(ref _state, Removed);
                _owner.Table.Remove(token);
                _descriptor.DangerousRelease();
                throw Syscall.Failure(result, "epoll_ctl", arguments);
            }
            _epoll = epoll;
        }
    }

    /// <summary>Waits for other events from now on; 0 for none but EPOLLERR and EPOLLHUP. Rearms EPOLLONESHOT.</summary>
    /// <returns>False when the registration is removed.</returns>
    /// <exception cref="LinuxException">The kernel refuses the events.</exception>
    internal bool Change(uint events)
    {
        lock (this)
        {
            if (IsRemoved || _epoll is null) return false;
            Volatile.Write(ref _interest, events);
            nint result = DescriptorEvents.Control(_epoll, Abi.EPOLL_CTL_MOD, _descriptor, events, Token);
            Syscall.Check(result, "epoll_ctl", $"EPOLL_CTL_MOD, {_descriptor.DangerousGetHandle()}");
            return true;
        }
    }

    /// <summary>
    /// Stops watching and lets go of the descriptor. Once it has returned, no call of the handler begins; one that has
    /// begun may still be running, on the events thread: see <see cref="WaitIdle"/>. More than once does nothing.
    /// </summary>
    public void Dispose()
    {
        lock (this)
        {
            if ((Interlocked.Or(ref _state, Removed) & Removed) != 0 || _epoll is null) return;
            // An error would mean that somebody closed the number behind our back; the kernel has forgotten it then too.
            DescriptorEvents.Control(_epoll, Abi.EPOLL_CTL_DEL, _descriptor, 0, 0);
            _owner.Table.Remove(Token);
        }
        // Not under the lock: this may be what closes the descriptor, and some files take their time over that.
        _descriptor.DangerousRelease();
    }

    /// <summary>
    /// Waits until no call of the handler is running; after <see cref="Dispose"/>, that is for good. Called from a handler
    /// it returns at once, since the call it would wait for is the caller. Do not hold a lock that the handler takes.
    /// </summary>
    internal void WaitIdle()
    {
        if (_owner.IsEventsThread) return;
        var wait = new SpinWait();
        while ((Volatile.Read(ref _state) & Running) != 0) wait.SpinOnce();
    }

    private bool IsRemoved => (Volatile.Read(ref _state) & Removed) != 0;

    /// <summary>On the events thread only.</summary>
    internal void Deliver(uint events)
    {
        // From idle only: once removed, nothing begins, though the kernel may have reported the event long before.
        if (Interlocked.CompareExchange(ref _state, Running, 0) != 0) return;
        try
        {
            uint interest = Volatile.Read(ref _interest) | Abi.EPOLLERR | Abi.EPOLLHUP;
            if ((events & interest) != 0) _handler.OnReady(events);
        }
        catch (Exception exception)
        {
            // Removed, because what it left unread would call it again at once, and for ever.
            Fault(exception);
        }
        finally
        {
            Interlocked.And(ref _state, ~Running);
        }
    }

    internal void Fault(Exception exception)
    {
        Dispose();
        try
        {
            _handler.OnFault(exception);
        }
        catch (Exception)
        {
            // Its last chance to say something; the thread serves everybody else.
        }
    }
}
