namespace Isolation;

/// <summary>
/// Keeps pausing and entering apart: a program that is on its way into a container is inside before the container is
/// paused, and none sets out while it is. Safe from any thread.
/// </summary>
#pragma warning disable CA1001 // The semaphore holds nothing: its wait handle is never asked for.
internal sealed class PauseGate
#pragma warning restore CA1001
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _turn = new(1);
    private TaskCompletionSource? _allInside;
    private int _entering;
    private bool _closed;

    /// <summary>One pause or resume at a time.</summary>
    internal Task TakeTurnAsync(CancellationToken cancellationToken) => _turn.WaitAsync(cancellationToken);

    internal void EndTurn() => _turn.Release();

    /// <summary>A program sets out; false where the gate is closed. Where true, <see cref="Entered"/> is to be called.</summary>
    internal bool TryEnter()
    {
        lock (_gate)
        {
            if (_closed) return false;
            _entering++;
            return true;
        }
    }

    /// <summary>It is inside, or did not get there.</summary>
    internal void Entered()
    {
        lock (_gate)
        {
            if (--_entering == 0) _allInside?.TrySetResult();
        }
    }

    /// <summary>From now on none sets out; completes when those on their way are inside. In one's turn only.</summary>
    internal Task CloseAsync()
    {
        lock (_gate)
        {
            _closed = true;
            if (_entering == 0) return Task.CompletedTask;
            _allInside = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _allInside.Task;
        }
    }

    internal void Open()
    {
        lock (_gate) (_closed, _allInside) = (false, null);
    }
}
