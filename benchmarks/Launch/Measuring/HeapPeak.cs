namespace Isolation.Benchmarks;

/// <summary>The most that the collector held of the system's memory while this was there, looked at every 5 ms.</summary>
internal sealed class HeapPeak : IDisposable
{
    private readonly Timer _timer;
    private long _most;

    internal HeapPeak()
    {
        GC.Collect();
        _timer = new(_ => Look(), null, 0, 5);
    }

    /// <summary>Of live and dead objects together, in bytes.</summary>
    internal long Most
    {
        get
        {
            Look();
            return Interlocked.Read(ref _most);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        long now = GC.GetTotalMemory(forceFullCollection: false);
        for (long most = Interlocked.Read(ref _most); now > most && Interlocked.CompareExchange(ref _most, now, most) != most; most = Interlocked.Read(ref _most))
        {
        }
    }
}
