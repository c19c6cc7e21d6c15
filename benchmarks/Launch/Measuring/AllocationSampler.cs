using System.Diagnostics.Tracing;

namespace Isolation.Benchmarks;

/// <summary>Which types are allocated, from the runtime's own samples: one for about every 100 KiB (AllocationSampled, .NET 10).</summary>
internal sealed class AllocationSampler : EventListener
{
    private const EventKeywords AllocationSampling = (EventKeywords)0x800_0000_0000;
    private readonly Dictionary<string, int> _counts = [];
    private EventSource? _runtime;

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name != "Microsoft-Windows-DotNETRuntime") return;
        _runtime = eventSource;
        EnableEvents(eventSource, EventLevel.Informational, AllocationSampling);
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.EventName != "AllocationSampled") return;
        int index = eventData.PayloadNames?.IndexOf("TypeName") ?? -1;
        if (index < 0 || eventData.Payload![index] is not string type || _counts is null) return;
        lock (_counts) _counts[type] = _counts.GetValueOrDefault(type) + 1;
    }

    /// <summary>Each type's share of the bytes, largest first. What this listener itself allocates is among it.</summary>
    internal (IReadOnlyList<(string Type, double Share)> Types, int Samples) Stop()
    {
        if (_runtime is not null) DisableEvents(_runtime);
        lock (_counts)
        {
            int total = _counts.Values.Sum();
            return ([.. _counts.OrderByDescending(pair => pair.Value).Select(pair => (pair.Key, (double)pair.Value / total))], total);
        }
    }
}
