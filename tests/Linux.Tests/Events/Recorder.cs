using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Isolation.Linux.Tests;

/// <summary>A handler that takes one byte, notes that it was called, and lets a test wait for it.</summary>
internal sealed class Recorder(SafeHandle? drain = null, Action<uint>? then = null) : IDescriptorHandler
{
    private int _calls;
    private int _awaited;

    internal ConcurrentQueue<uint> Events { get; } = new();

    internal ConcurrentQueue<Exception> Faults { get; } = new();

    internal string? ThreadName { get; private set; }

    public void OnReady(uint events)
    {
        ThreadName = Thread.CurrentThread.Name;
        if (drain is not null) Descriptors.TryRead(drain, new byte[1]);
        Events.Enqueue(events);
        try
        {
            then?.Invoke(events);
        }
        finally
        {
            Interlocked.Increment(ref _calls);
        }
    }

    public void OnFault(Exception exception)
    {
        Faults.Enqueue(exception);
        Interlocked.Increment(ref _calls);
    }

    internal void WaitForCall()
    {
        int call = ++_awaited;
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref _calls) >= call, TimeSpan.FromSeconds(30)), "The handler was not called.");
    }
}
