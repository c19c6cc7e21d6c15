namespace Isolation.Linux;

/// <summary>
/// Told when a descriptor is ready. Called on the one thread that watches all of this process's descriptors, never by two
/// threads at once for one registration; so it must not block: it takes what is there, hands it on, and returns.
/// </summary>
internal interface IDescriptorHandler
{
    /// <param name="events">EPOLLIN and the like, EPOLLERR and EPOLLHUP included whether asked for or not.</param>
    void OnReady(uint events);

    /// <summary>
    /// The last call: <see cref="OnReady"/> threw, or the kernel refuses to wait any further. The registration is removed
    /// already. An exception out of this method goes nowhere.
    /// </summary>
    void OnFault(Exception exception)
    {
    }
}
