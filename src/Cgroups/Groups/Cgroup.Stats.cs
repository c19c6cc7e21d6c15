namespace Isolation.Cgroups;

public sealed partial class Cgroup
{
    /// <summary>Of the <see cref="System.Diagnostics.Metrics.Meter"/> that <see cref="Publish"/> publishes with.</summary>
    public const string MeterName = "Isolation.Cgroups";

    private readonly Lock _opening = new();
    private StatsReader? _reader;

    /// <summary>
    /// What the group has used, and uses now: of the controllers that it was made with. Files are opened at the first
    /// reading and stay open.
    /// </summary>
    /// <param name="details">What to bring along beside what every reading has.</param>
    /// <exception cref="CgroupException">The group was removed, or a file cannot be read.</exception>
    public CgroupStats ReadStats(CgroupStatsDetails details = CgroupStatsDetails.None) => Reader().Read(details);

    /// <summary>A reading at once, and one at each whole interval; it ends when the group is removed. Readings that nobody took in time are left out.</summary>
    /// <param name="interval">At least a millisecond.</param>
    /// <param name="details">What to bring along beside what every reading has.</param>
    /// <param name="cancellationToken">Ends the sequence with an exception.</param>
    /// <exception cref="CgroupException">A reading failed.</exception>
    public IAsyncEnumerable<CgroupStats> SampleAsync(TimeSpan interval, CgroupStatsDetails details = CgroupStatsDetails.None, CancellationToken cancellationToken = default) =>
        StatsSampling.SampleAsync(Reader(), interval, details, null, cancellationToken);

    /// <summary>
    /// Shows the group's figures to whoever listens to the meter <see cref="MeterName"/>, as OpenTelemetry's
    /// <c>container.*</c> metrics, until what is returned is disposed or the group is removed. Nothing is read unless
    /// somebody collects. The group of a <c>Container</c> is published already.
    /// </summary>
    /// <param name="containerId">The attribute <c>container.id</c>.</param>
    /// <param name="containerName">The attribute <c>container.name</c>; none if it is null.</param>
    public IDisposable Publish(string containerId, string? containerName = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(containerId);
        return CgroupMeter.Shared.Register(ReadBriefly, containerId, containerName);
    }

    /// <summary>Collected now and then, of thousands of groups: no files stay open for it.</summary>
    private CgroupStats ReadBriefly()
    {
        lock (_opening)
            if (_reader is not null) return _reader.Read(CgroupStatsDetails.None);
        using StatsReader reader = MakeReader();
        return reader.Read(CgroupStatsDetails.None);
    }

    /// <summary>How many of its processes the kernel has killed for want of memory; null where it does not count memory. Without the cost of a whole reading.</summary>
    internal long? ReadOomKills()
    {
        if (Of(CgroupController.Memory) is not { } memory) return null;
        const string counter = "oom_kill ";
        string? text = memory.TryRead(memory.Version == CgroupVersion.V1 ? "memory.oom_control" : "memory.events");
        return text?.Split('\n').FirstOrDefault(line => line.StartsWith(counter, StringComparison.Ordinal)) is { } found ? Number(found[counter.Length..]) : null;
    }

    private StatsReader Reader()
    {
        lock (_opening)
            return _reader ??= MakeReader();
    }

    private StatsReader MakeReader() =>
        new([.. _parts.SelectMany(part => part.Controllers, (part, controller) => (controller, part.Group.Version, (System.Runtime.InteropServices.SafeHandle)part.Group.Directory))]);
}
