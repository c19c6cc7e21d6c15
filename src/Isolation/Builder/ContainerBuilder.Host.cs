namespace Isolation;

public sealed partial class ContainerBuilder
{
    /// <summary>Where the container is recorded; <see cref="IsolationHost.Default"/> by default.</summary>
    /// <param name="host">Must stay open: disposing it kills the container.</param>
    public ContainerBuilder WithHost(IsolationHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        return Set(Draft with { Host = host });
    }

    /// <summary>
    /// The container goes on when the process that started it ends. Its record stays for as long as it runs, and
    /// <see cref="IsolationHost.ListAsync"/> lists it as orphaned; opening a host does not end it. Disposing it still
    /// kills it, and so do a cancellation and a timeout, while the process lives. What it writes must go where it can go
    /// without that process: <see cref="OutputTarget.Discard"/>, <see cref="OutputTarget.ToFile"/> or <see cref="OutputTarget.Inherit"/>.
    /// </summary>
    public ContainerBuilder OutliveHost() => Set(Draft with { OutlivesHost = true });
}
