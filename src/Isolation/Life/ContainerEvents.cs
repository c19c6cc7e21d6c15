using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace Isolation;

/// <summary>
/// The events of one program in order: the first and the last <see cref="Kept"/> of them, however many read and however
/// slowly. Each reader has a place of its own and takes nothing away from the others. Safe from any thread.
/// </summary>
internal sealed class ContainerEvents(Action<ContainerEvent>? callback, ILogger logger) : IThreadPoolWorkItem
{
    internal const int Kept = 128;

    private readonly Lock _gate = new();
    private ContainerEvent _first;
    private ContainerEvent[] _last = new ContainerEvent[4]; // the number n is at n - 1, round and round
    private long _count;
    private bool _complete;
    private TaskCompletionSource? _more;
    private long _called;
    private bool _calling;

    internal void Add(ContainerEvent happened) => Add(happened, last: false);

    /// <summary>Adds the last one; what is added later is left out.</summary>
    internal void Complete(ContainerEvent happened) => Add(happened, last: true);

    /// <summary>All of them, from the first to the last; waits for those that have not happened yet.</summary>
    internal async IAsyncEnumerable<ContainerEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        long read = 0;
        while (!IsOver(read))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryRead(ref read, out ContainerEvent next)) yield return next;
            else await MoreThan(read).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Add(ContainerEvent happened, bool last)
    {
        TaskCompletionSource? more;
        bool call;
        lock (_gate)
        {
            if (_complete) return;
            if (_count == _last.Length && _count < Kept) Array.Resize(ref _last, _last.Length * 2);
            int at = (int)(_count % _last.Length);
            _last[at] = happened with { Sequence = ++_count };
            if (_count == 1) _first = _last[at];
            _complete = last;
            (more, _more) = (_more, null);
            call = callback is not null && !_calling;
            if (call) _calling = true;
        }

        more?.TrySetResult();
        if (call) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>The callback, on the pool: one event after the other, and never two at once.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        while (TryCall(out ContainerEvent next))
        {
            foreach (Action<ContainerEvent> call in Delegate.EnumerateInvocationList(callback))
            {
                try
                {
                    call(next);
                }
                catch (Exception exception)
                {
                    Log(next, exception);
                }
            }
        }
    }

    private void Log(ContainerEvent happened, Exception exception)
    {
        try
        {
            LifeLog.EventCallbackFailed(logger, happened.Container, happened.Kind, exception);
        }
        catch (Exception)
        {
            // On the pool it would end the whole process.
        }
    }

    private bool TryCall(out ContainerEvent next)
    {
        lock (_gate) return _calling = TryRead(ref _called, out next);
    }

    private bool TryRead(ref long read, out ContainerEvent next)
    {
        lock (_gate)
        {
            next = default;
            if (read >= _count) return false;
            long number = read == 0 ? 1 : Math.Max(read + 1, _count - _last.Length + 1);
            next = number == 1 ? _first : _last[(int)((number - 1) % _last.Length)];
            read = number;
            return true;
        }
    }

    private bool IsOver(long read)
    {
        lock (_gate) return _complete && read == _count;
    }

    private Task MoreThan(long read)
    {
        lock (_gate) return read < _count ? Task.CompletedTask : (_more ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
    }
}
