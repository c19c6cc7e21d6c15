namespace Isolation;

public partial class ContainerProcess
{
    /// <summary>
    /// What happens to the program: all since it started, however late the watch begins, and what comes until it has
    /// ended, which ends the sequence. Any number may watch, and each gets every event. One who is more than 128 events
    /// behind misses the oldest of them, as <see cref="ContainerEvent.Sequence"/> shows; the first is always there.
    /// </summary>
    /// <param name="cancellationToken">Ends the watch, not the program.</param>
    /// <exception cref="OperationCanceledException">The watch was cancelled.</exception>
    public IAsyncEnumerable<ContainerEvent> WatchAsync(CancellationToken cancellationToken = default) => Launch.Observer.WatchAsync(cancellationToken);
}
