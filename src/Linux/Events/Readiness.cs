using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>
/// One descriptor that is read and written again and again. It is registered once, edge-triggered (epoll(7), EPOLLET), so
/// that a wait costs no system call: whoever is told EAGAIN waits for the next edge. One may wait to read and one to
/// write at the same time.
/// </summary>
/// <remarks>
/// An edge may come between a read that found nothing and the wait for more. So the number of edges is taken before
/// the read, and the wait returns at once when it has changed: <c>edge = Reading.Edge; read; EAGAIN; await Reading.WaitAsync(edge)</c>.
/// </remarks>
internal sealed class Readiness : IDescriptorHandler, IDisposable
{
    private readonly Registration _registration;
    private readonly uint _interest;
    private int _started;

    /// <param name="events">Whose thread tells of it.</param>
    /// <param name="descriptor">Non-blocking. Nothing is registered before the first wait.</param>
    /// <param name="interest">EPOLLIN, EPOLLOUT or both.</param>
    internal Readiness(DescriptorEvents events, SafeHandle descriptor, uint interest)
    {
        _registration = events.Prepare(descriptor, this);
        _interest = interest;
        Reading = new(this);
        Writing = new(this);
    }

    internal EdgeWait Reading { get; }

    internal EdgeWait Writing { get; }

    /// <summary>Why nothing will be told any more.</summary>
    internal Exception? Fault { get; private set; }

    /// <summary>Whoever waits looks again.</summary>
    internal void Wake()
    {
        Reading.Raise();
        Writing.Raise();
    }

    public void OnReady(uint events)
    {
        const uint ends = Abi.EPOLLERR | Abi.EPOLLHUP;
        if ((events & (Abi.EPOLLIN | ends)) != 0) Reading.Raise();
        if ((events & (Abi.EPOLLOUT | ends)) != 0) Writing.Raise();
    }

    public void OnFault(Exception exception)
    {
        Fault = exception;
        Wake();
    }

    /// <summary>Watches no more, lets go of the descriptor, and wakes whoever waits.</summary>
    public void Dispose()
    {
        _registration.Dispose();
        Wake();
    }

    /// <summary>At the first wait: what is ready by then is an edge.</summary>
    internal void Start()
    {
        if (Interlocked.Exchange(ref _started, 1) != 0) return;
        try
        {
            _registration.Start(_interest | Abi.EPOLLET);
        }
        catch (Exception exception) when (exception is LinuxException or ObjectDisposedException)
        {
            OnFault(exception);
            throw;
        }
    }
}
