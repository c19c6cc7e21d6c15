namespace Isolation.Cgroups;

/// <summary>
/// What happens to a control group from the making of the watch on. It ends with the group or with its disposal. Safe from
/// any thread; where several read, each event goes to one of them.
/// </summary>
/// <remarks>
/// Nothing is queued while nobody reads: the kernel counts, and a reading tells the difference. So a watch costs its
/// descriptors, one a file, and nothing more.
/// </remarks>
public sealed class CgroupEventWatch : IAsyncEnumerable<CgroupEvent>, IDisposable
{
    // The kernel tells nobody who has a file open that its group was removed by others.
    private static readonly TimeSpan LookAnyway = TimeSpan.FromSeconds(1), LookAgain = TimeSpan.FromMilliseconds(10);
    private readonly Lock _taking = new();
    private readonly List<CgroupEvent> _pending = [];
    private readonly List<EventSource> _sources = [];
    private readonly SemaphoreSlim _signal = new(0);
    private readonly Action<CgroupEventWatch> _forget;
    private bool _signalled, _ended;

    /// <exception cref="CgroupException">A file cannot be watched; nothing is.</exception>
    internal CgroupEventWatch(IEnumerable<Func<Action, EventSource>> sources, Action<CgroupEventWatch> forget)
    {
        _forget = forget;
        try
        {
            foreach (Func<Action, EventSource> open in sources) _sources.Add(open(Signal));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The events that were not read yet, and those to come, until the group is removed or the watch disposed.</summary>
    /// <param name="cancellationToken">Ends the wait with an exception; what was not read stays for the next reader.</param>
    public async IAsyncEnumerator<CgroupEvent> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            bool ended, unsettled;
            lock (_taking)
            {
                // Before it is known what happened it is known whether anything will.
                (ended, unsettled) = (_ended, _sources.Exists(source => source.IsUnsettled));
                Take();
            }

            while (Next() is { } next) yield return next;
            if (ended) yield break;
            await _signal.WaitAsync(unsettled ? LookAgain : LookAnyway, cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref _signalled, false);
        }
    }

    /// <summary>Ends the watch and whoever reads it.</summary>
    public void Dispose()
    {
        End();
        _forget(this);
    }

    /// <summary>Keeps what has happened until now: the group is about to be removed, and its counters with it.</summary>
    internal void Take()
    {
        lock (_taking)
        {
            DateTimeOffset now = DateTimeOffset.UtcNow;
            if (!_ended && !_sources.TrueForAll(source => source.TryTake(_pending, now))) End();
        }
    }

    internal void End()
    {
        lock (_taking)
        {
            _ended = true;
            foreach (EventSource source in _sources) source.Dispose();
        }

        Signal();
    }

    private CgroupEvent? Next()
    {
        lock (_taking)
        {
            if (_pending.Count == 0) return null;
            CgroupEvent next = _pending[0];
            _pending.RemoveAt(0);
            return next;
        }
    }

    private void Signal()
    {
        if (!Interlocked.Exchange(ref _signalled, true)) _signal.Release();
    }
}
