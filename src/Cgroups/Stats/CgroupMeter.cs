using System.Diagnostics.Metrics;
using System.Globalization;

namespace Isolation.Cgroups;

/// <summary>
/// The figures of registered groups as <see cref="System.Diagnostics.Metrics"/> instruments. A group is read when somebody
/// collects, and not otherwise; the instruments that are collected together share one reading.
/// </summary>
/// <remarks>
/// Names, units and attributes are those of the OpenTelemetry semantic conventions 1.44.0, "Semantic conventions for
/// container metrics" (https://opentelemetry.io/docs/specs/semconv/system/container-metrics/; model/container/metrics.yaml
/// of open-telemetry/semantic-conventions). 1.44.0 renamed container.memory.paging.faults to container.paging.faults and
/// made container.memory.usage an UpDownCounter. Safe from any thread.
/// </remarks>
internal sealed class CgroupMeter : IDisposable
{
    private static readonly Lazy<CgroupMeter> Only = new(static () => new());
    private readonly Lock _lock = new();
    private readonly Meter _meter;
    private readonly TimeProvider _time;
    private readonly HashSet<MeteredGroup> _groups = [];

    /// <param name="time">Tells which instruments are collected together; the system's clock if none is given.</param>
    internal CgroupMeter(TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _meter = new Meter(Cgroup.MeterName, typeof(CgroupMeter).Assembly.GetName().Version?.ToString(3));
        _meter.CreateObservableCounter("container.cpu.time", () => Observe<double>(CpuTime), "s", "Total CPU time consumed.");
        _meter.CreateObservableGauge("container.cpu.usage", () => Observe<double>(CpuUsage), "{cpu}", "CPU usage, in processors, averaged since the last observation.");
        _meter.CreateObservableUpDownCounter("container.memory.usage", () => Observe<long>(static (group, into) => Add(into, group, group.Stats.Memory.Usage)), "By", "Memory usage of the container.");
        _meter.CreateObservableUpDownCounter("container.memory.available", () => Observe<long>(Available), "By", "What is left of the memory limit beside the working set.");
        _meter.CreateObservableUpDownCounter("container.memory.rss", () => Observe<long>(static (group, into) => Add(into, group, group.Stats.Memory.Anonymous)), "By", "Container memory RSS.");
        _meter.CreateObservableUpDownCounter("container.memory.working_set", () => Observe<long>(static (group, into) => Add(into, group, group.Stats.Memory.WorkingSet)), "By", "Container memory working set.");
        _meter.CreateObservableCounter("container.paging.faults", () => Observe<long>(Faults), "{fault}", "Container paging faults.");
        _meter.CreateObservableCounter("container.disk.io", () => Observe<long>(DiskIo), "By", "Disk bytes for the container.");
    }

    /// <summary>Of this process, made when the first group is published.</summary>
    internal static CgroupMeter Shared => Only.Value;

    /// <summary>Observes a group from now on, until what is returned is disposed.</summary>
    /// <param name="read">A reading; what it throws for a group that is gone makes it one with nothing to observe.</param>
    /// <param name="id">The attribute <c>container.id</c>.</param>
    /// <param name="name">The attribute <c>container.name</c>; none if it is null.</param>
    internal MeteredGroup Register(Func<CgroupStats> read, string id, string? name = null)
    {
        MeteredGroup group = new(this, read, id, name, _time);
        lock (_lock) _groups.Add(group);
        return group;
    }

    internal void Unregister(MeteredGroup group)
    {
        lock (_lock) _groups.Remove(group);
    }

    /// <summary>Two meters of this name may live in one process.</summary>
    internal bool Owns(Instrument instrument) => instrument.Meter == _meter;

    public void Dispose() => _meter.Dispose();

    private List<Measurement<T>> Observe<T>(Action<Observation, List<Measurement<T>>> add)
        where T : struct
    {
        List<Measurement<T>> measurements = [];
        MeteredGroup[] groups;
        lock (_lock) groups = [.. _groups];
        foreach (MeteredGroup group in groups)
        {
            // One group that cannot be read does not take the others' figures away.
            if (group.TryRead(out Observation observation)) add(observation, measurements);
        }

        return measurements;
    }

    private static void CpuTime(Observation group, List<Measurement<double>> into)
    {
        CgroupCpuStats cpu = group.Stats.Cpu;
        // Either all points have a mode or none has. "kernel" is time in the kernel for the group; "system" would be the host's.
        if (cpu.User is { } user && cpu.System is { } kernel)
        {
            into.Add(new(user.TotalSeconds, group.With("cpu.mode", "user")));
            into.Add(new(kernel.TotalSeconds, group.With("cpu.mode", "kernel")));
        }
        else if (cpu.Usage is { } usage)
        {
            into.Add(new(usage.TotalSeconds, group.Tags));
        }
    }

    private static void CpuUsage(Observation group, List<Measurement<double>> into)
    {
        if (group.Before is { } before && group.Stats.ProcessorsSince(before) is { } processors) into.Add(new(processors, group.Tags));
    }

    private static void Available(Observation group, List<Measurement<long>> into)
    {
        CgroupMemoryStats memory = group.Stats.Memory;
        if (memory is { Limit: { } limit and not ResourceLimits.Unlimited, WorkingSet: { } used }) into.Add(new(Math.Max(0, limit - used), group.Tags));
    }

    private static void Faults(Observation group, List<Measurement<long>> into)
    {
        CgroupMemoryStats memory = group.Stats.Memory;
        if (memory.MajorPageFaults is not { } major) return;
        into.Add(new(major, group.With("system.paging.fault.type", "major")));
        // The kernel counts a major fault as a fault too.
        if (memory.PageFaults is { } all) into.Add(new(Math.Max(0, all - major), group.With("system.paging.fault.type", "minor")));
    }

    private static void DiskIo(Observation group, List<Measurement<long>> into)
    {
        if (group.Stats.Io is not { } devices) return;
        foreach (CgroupDeviceIo device in devices)
        {
            string number = string.Create(CultureInfo.InvariantCulture, $"{device.Major}:{device.Minor}");
            if (device.ReadBytes is { } read) into.Add(new(read, group.With("disk.io.direction", "read", "system.device", number)));
            if (device.WrittenBytes is { } written) into.Add(new(written, group.With("disk.io.direction", "write", "system.device", number)));
        }
    }

    private static void Add(List<Measurement<long>> into, Observation group, long? value)
    {
        if (value is { } known) into.Add(new(known, group.Tags));
    }
}
