using System.Threading.Tasks.Sources;

namespace Isolation.Linux;

/// <summary>One direction of a <see cref="Readiness"/>: counts its edges, and one may wait for the next. No wait allocates.</summary>
internal sealed class EdgeWait(Readiness owner) : IValueTaskSource
{
    // Continuations elsewhere: on the events thread they would hold up everybody.
    private ManualResetValueTaskSourceCore<bool> _source = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _cancellation;
    private int _edge;
    private bool _waits;

    /// <summary>How many edges there were; taken before the call that may say EAGAIN.</summary>
    internal int Edge => Volatile.Read(ref _edge);

    /// <summary>Until there has been another edge than those that were counted.</summary>
    /// <exception cref="InvalidOperationException">Somebody waits already.</exception>
    /// <exception cref="LinuxException">The descriptor cannot be waited for.</exception>
    internal ValueTask WaitAsync(int edge, CancellationToken cancellationToken)
    {
        if (owner.Fault is { } fault) throw fault;
        owner.Start();
        lock (this)
        {
            if (_edge != edge) return ValueTask.CompletedTask;
            if (_waits) throw new InvalidOperationException("One read and one write may be under way at once, and not more.");
            _source.Reset();
            _waits = true;
        }

        // Nobody has the task yet, so this is there before the end of the wait asks for it.
        _cancellation = cancellationToken.UnsafeRegister(static (wait, token) => ((EdgeWait)wait!).Cancel(token), this);
        return new ValueTask(this, _source.Version);
    }

    internal void Raise()
    {
        lock (this)
        {
            _edge++;
            if (!_waits) return;
            _waits = false;
        }

        _source.SetResult(true);
    }

    private void Cancel(CancellationToken cancellationToken)
    {
        lock (this)
        {
            if (!_waits) return;
            _waits = false;
        }

        _source.SetException(new OperationCanceledException(cancellationToken));
    }

    void IValueTaskSource.GetResult(short token)
    {
        // Disposed and not just unregistered: a canceller that comes too late must not meet the next wait.
        _cancellation.Dispose();
        _source.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
