namespace Isolation.Cgroups;

/// <summary>A group that a meter observes. Disposing it ends that.</summary>
internal sealed class MeteredGroup : IDisposable
{
    // A collection asks one instrument after the other, all within far less than this.
    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(50);

    private readonly Lock _lock = new();
    private readonly CgroupMeter _meter;
    private readonly Func<CgroupStats> _read;
    private readonly TimeProvider _time;
    private readonly KeyValuePair<string, object?>[] _tags;
    private CgroupStats? _before, _last;
    private long? _readAt;

    internal MeteredGroup(CgroupMeter meter, Func<CgroupStats> read, string id, string? name, TimeProvider time)
    {
        (_meter, _read, _time) = (meter, read, time);
        _tags = name is null ? [new("container.id", id)] : [new("container.id", id), new("container.name", name)];
    }

    /// <summary>Why the last reading failed; null if it did not.</summary>
    internal Exception? Failure { get; private set; }

    public void Dispose() => _meter.Unregister(this);

    internal bool TryRead(out Observation observation)
    {
        lock (_lock)
        {
            if (_readAt is not { } readAt || _time.GetElapsedTime(readAt) >= Fresh) Read();
            observation = _last is null ? default : new(_last, _before, _tags);
            return _last is not null;
        }
    }

    private void Read()
    {
        (_before, _last, Failure) = (_last, null, null);
        try
        {
            _last = _read();
        }
        catch (Exception failure) when (failure is CgroupException or ObjectDisposedException)
        {
            Failure = failure;
            if (failure is ObjectDisposedException or CgroupException { Reason: CgroupErrorReason.Gone }) Dispose();
        }

        _readAt = _time.GetTimestamp();
    }
}

/// <summary>What an instrument is told from.</summary>
/// <param name="Stats">The reading.</param>
/// <param name="Before">The one before it; null at first.</param>
/// <param name="Tags">Of the group.</param>
internal readonly record struct Observation(CgroupStats Stats, CgroupStats? Before, KeyValuePair<string, object?>[] Tags)
{
    internal KeyValuePair<string, object?>[] With(string key, string value) => [.. Tags, new(key, value)];

    internal KeyValuePair<string, object?>[] With(string key, string value, string further, string furtherValue) => [.. Tags, new(key, value), new(further, furtherValue)];
}
