namespace Isolation.Cgroups;

/// <summary>Limits of one block device. Null leaves a limit as it is; <see cref="ResourceLimits.Unlimited"/> takes it away.</summary>
/// <param name="Device">Which. Of a whole disk: the kernel knows no limits of partitions.</param>
public sealed record IoDeviceLimit(DeviceNumber Device)
{
    /// <summary>Bytes a second. v1 <c>blkio.throttle.read_bps_device</c>, v2 <c>io.max</c> rbps.</summary>
    public long? ReadBytesPerSecond { get; init; }

    /// <summary>Bytes a second. v1 <c>blkio.throttle.write_bps_device</c>, v2 <c>io.max</c> wbps.</summary>
    /// <remarks>v1 throttles direct and synchronous writes only: what the page cache writes back is nobody's there.</remarks>
    public long? WriteBytesPerSecond { get; init; }

    /// <summary>Operations a second. v1 <c>blkio.throttle.read_iops_device</c>, v2 <c>io.max</c> riops.</summary>
    public long? ReadOperationsPerSecond { get; init; }

    /// <summary>Operations a second. v1 <c>blkio.throttle.write_iops_device</c>, v2 <c>io.max</c> wiops.</summary>
    public long? WriteOperationsPerSecond { get; init; }

    /// <summary>This device's weight against other groups, 1 to 10000. v1 <c>blkio.bfq.weight_device</c>, v2 <c>io.weight</c>.</summary>
    public int? Weight { get; init; }

    /// <summary>The latency to aim at; zero takes it away. v2 <c>io.latency</c>; nothing on v1.</summary>
    public TimeSpan? Latency { get; init; }
}
