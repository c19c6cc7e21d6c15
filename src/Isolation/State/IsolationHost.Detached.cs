namespace Isolation;

public sealed partial class IsolationHost
{
    /// <summary>A detached container of this host, of whichever process (<see cref="ContainerSpec.DetachAsync"/>).</summary>
    /// <param name="id">Its id.</param>
    /// <param name="cancellationToken">Heard before it is looked for.</param>
    /// <exception cref="ContainerException">There is none (<see cref="ContainerErrorReason.StateUnavailable"/>), or its record is damaged.</exception>
    /// <exception cref="ObjectDisposedException">The host is disposed.</exception>
    public Task<DetachedContainer> AttachAsync(string id, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Task.Run(() => DetachedContainer.Attach(this, id), cancellationToken);
    }

    /// <summary>The ids of the detached containers of this host, those that have ended too.</summary>
    /// <exception cref="ObjectDisposedException">The host is disposed.</exception>
    public Task<IReadOnlyList<string>> ListDetachedAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Task.Run<IReadOnlyList<string>>(() => [.. DetachedContainer.RootOf(this).List().Select(state => state.Id)], cancellationToken);
    }
}
