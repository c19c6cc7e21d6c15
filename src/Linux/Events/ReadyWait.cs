using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;

namespace Isolation.Linux;

/// <summary>One wait for one descriptor: whoever of readiness, cancellation and fault comes first completes it.</summary>
internal sealed class ReadyWait : IDescriptorHandler, IValueTaskSource<uint>
{
    // Continuations elsewhere: on the events thread they would hold up everybody.
    private ManualResetValueTaskSourceCore<uint> _source = new() { RunContinuationsAsynchronously = true };
    private Registration? _registration;
    private CancellationTokenRegistration _cancellation;
    private int _completed;

    internal ValueTask<uint> Start(DescriptorEvents events, SafeHandle descriptor, uint interest, CancellationToken cancellationToken)
    {
        // In this order: every field is there before the events thread or the canceller can come for it.
        _registration = events.Prepare(descriptor, this);
        _cancellation = cancellationToken.UnsafeRegister(static (wait, token) => ((ReadyWait)wait!).Cancel(token), this);
        try
        {
            _registration.Start(interest | Abi.EPOLLONESHOT);
        }
        catch (Exception exception) when (exception is LinuxException or ObjectDisposedException)
        {
            OnFault(exception);
        }
        return new ValueTask<uint>(this, _source.Version);
    }

    void IDescriptorHandler.OnReady(uint events)
    {
        if (Complete()) _source.SetResult(events);
    }

    public void OnFault(Exception exception)
    {
        if (Complete()) _source.SetException(exception);
    }

    private void Cancel(CancellationToken cancellationToken)
    {
        if (Complete()) _source.SetException(new OperationCanceledException(cancellationToken));
    }

    /// <summary>True for the first. The registration is gone before anybody learns of the result, who may register again.</summary>
    private bool Complete()
    {
        if (Interlocked.Exchange(ref _completed, 1) != 0) return false;
        _registration!.Dispose();
        // Unregister, not Dispose: that would wait for a canceller which is just finding out that it came too late.
        _cancellation.Unregister();
        return true;
    }

    uint IValueTaskSource<uint>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<uint>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<uint>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
