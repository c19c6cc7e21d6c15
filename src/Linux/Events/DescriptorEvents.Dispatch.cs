namespace Isolation.Linux;

/// <summary>The events thread.</summary>
internal sealed unsafe partial class DescriptorEvents
{
    private const int BatchSize = 256;

    private void Dispatch(FileDescriptor epoll)
    {
        byte* batch = stackalloc byte[BatchSize * EpollEvent.MaxSize];
        while (true)
        {
            nint count = Syscall.epoll_wait(epoll.Number, batch, BatchSize);
            if (Syscall.Is(count, Errno.EINTR)) continue;
            if (Syscall.IsError(count))
            {
                Abandon(epoll, Syscall.Failure(count, "epoll_wait"));
                return;
            }
            for (int i = 0; i < count; i++)
            {
                var (events, token) = EpollEvent.Read(batch, i);
                Table.Find(token)?.Deliver(events);
            }
        }
    }

    /// <summary>
    /// The kernel refuses to wait, which can only be because somebody closed or replaced our epoll descriptor by its
    /// number. Nobody may wait for ever: everybody is told, and the next registration starts afresh.
    /// </summary>
    private void Abandon(FileDescriptor epoll, LinuxException exception)
    {
        // The number is somebody else's now; closing it would do to them what was done to us.
        epoll.SetHandleAsInvalid();
        lock (_starting) _epoll = null;
        foreach (var registration in Table.All())
            if (registration.Epoll == epoll) registration.Fault(exception);
    }
}
