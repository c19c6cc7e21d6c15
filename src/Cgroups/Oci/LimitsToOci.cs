namespace Isolation.Cgroups;

/// <summary>From limits to the specification's fields. Nothing is left out: what has no field is an error.</summary>
internal static class LimitsToOci
{
    /// <exception cref="ArgumentException">A limit is out of range.</exception>
    /// <exception cref="CgroupException">A limit has no field (NotSupported).</exception>
    internal static OciResources Translate(ResourceLimits limits)
    {
        LimitValidation.Check(limits);
        Refuse(limits.MemoryGuarantee is not null, nameof(limits.MemoryGuarantee), "memory.min");
        Refuse(limits.MemoryHigh is not null, nameof(limits.MemoryHigh), "memory.high");
        Refuse(limits.ZswapBytes is not null, nameof(limits.ZswapBytes), "memory.zswap.max");
        Refuse(limits.OomKillsAll is not null, nameof(limits.OomKillsAll), "memory.oom.group");
        Refuse(limits.UtilizationAtLeast is not null, nameof(limits.UtilizationAtLeast), "cpu.uclamp.min");
        Refuse(limits.UtilizationAtMost is not null, nameof(limits.UtilizationAtMost), "cpu.uclamp.max");
        Refuse(limits.CpusetPartition is not null, nameof(limits.CpusetPartition), "cpuset.cpus.partition");
        Refuse(limits.Misc.Length > 0, nameof(limits.Misc), "misc.max");
        Refuse(limits.IoDevices.Any(device => device.Latency is not null), nameof(IoDeviceLimit.Latency), "io.latency");
        return new()
        {
            Memory = OrNothing(Memory(limits), new()),
            Cpu = OrNothing(Processor(limits), new()),
            Pids = limits.Pids is { } pids ? new() { Limit = OrMinusOne(pids) } : null,
            BlockIO = Block(limits),
            HugepageLimits = Listed(limits.Hugetlb.Select(limit => new OciHugepageLimit { PageSize = LimitText.PageSize(limit.PageSize), Limit = (ulong)limit.Bytes })),
            Rdma = limits.Rdma.Length > 0 ? limits.Rdma.ToDictionary(limit => limit.Device, limit => new OciRdma { HcaHandles = Count(limit.Handles), HcaObjects = Count(limit.Objects) }) : null,
            Devices = limits.Devices.Length > 0 ? OciDevices.FromRules(limits.Devices) : null,
            Network = limits.NetClass is null && limits.NetPriorities.Length == 0 ? null : new()
            {
                ClassId = limits.NetClass,
                Priorities = Listed(limits.NetPriorities.Select(limit => new OciInterfacePriority { Name = limit.Interface, Priority = limit.Priority })),
            },
            Unified = limits.Unified.Count > 0 ? new(limits.Unified) : null,
        };
    }

    private static OciMemory Memory(ResourceLimits limits) => new()
    {
        Limit = OrMinusOne(limits.Memory),
        Swap = OrMinusOne(limits.MemoryAndSwap),
        Reservation = OrMinusOne(limits.MemoryReservation),
        KernelTcp = OrMinusOne(limits.KernelTcpMemory),
        Swappiness = (ulong?)limits.MemorySwappiness,
        DisableOomKiller = limits.OomKillDisabled,
    };

    private static OciCpu Processor(ResourceLimits limits) => new()
    {
        Shares = (ulong?)(limits.CpuWeight is { } weight ? CpuWeight.ToShares(weight) : limits.CpuShares),
        Quota = limits.Cpus is { } cpus ? OrMinusOne(LimitText.Quota(cpus, LimitText.Period(limits, default))) : null,
        Period = limits.Cpus is null ? null : (ulong)LimitText.Period(limits, default),
        Burst = Microseconds(limits.CpuBurst),
        RealtimeRuntime = (long?)Microseconds(limits.RealtimeRuntime),
        RealtimePeriod = Microseconds(limits.RealtimePeriod),
        Cpus = limits.CpusetCpus,
        Mems = limits.CpusetMems,
        Idle = limits.CpuIdle is { } idle ? idle ? 1 : 0 : null,
    };

    private static OciBlockIO? Block(ResourceLimits limits) => limits.IoWeight is null && limits.IoDevices.Length == 0 ? null : new()
    {
        Weight = Weight(limits.IoWeight),
        WeightDevice = Listed(limits.IoDevices.Where(device => device.Weight is not null).Select(device => new OciDeviceWeight { Major = device.Device.Major, Minor = device.Device.Minor, Weight = Weight(device.Weight) })),
        ThrottleReadBpsDevice = Rates(limits, device => device.ReadBytesPerSecond),
        ThrottleWriteBpsDevice = Rates(limits, device => device.WriteBytesPerSecond),
        ThrottleReadIopsDevice = Rates(limits, device => device.ReadOperationsPerSecond),
        ThrottleWriteIopsDevice = Rates(limits, device => device.WriteOperationsPerSecond),
    };

    private static List<OciDeviceRate>? Rates(ResourceLimits limits, Func<IoDeviceLimit, long?> rate) => Listed(limits.IoDevices.Where(device => rate(device) is not null)
        .Select(device => new OciDeviceRate { Major = device.Device.Major, Minor = device.Device.Minor, Rate = rate(device) is { } value and not ResourceLimits.Unlimited ? (ulong)value : 0 }));

    private static ushort? Weight(int? weight)
    {
        if (weight is not { } value) return null;
        int bfq = IoWeight.ToBfq(value);
        if (bfq < IoWeight.MinBlkio || IoWeight.FromBfq(bfq) != value)
            throw new CgroupException(CgroupErrorReason.NotSupported, $"The IoWeight {value} is no blockIO.weight", remedy: "that has 10 to 1000, which are 10 to 100 here, and from there on every eleventh");
        return (ushort)bfq;
    }

    private static uint? Count(long? value) => value is null or (>= 0 and <= uint.MaxValue) ? (uint?)value
        : throw new CgroupException(CgroupErrorReason.NotSupported, $"linux.resources.rdma has no number for {(value == ResourceLimits.Unlimited ? "no limit" : value)}", remedy: "leave it out");

    private static long? OrMinusOne(long? value) => value is { } number ? OrMinusOne(number) : null;

    private static long OrMinusOne(long value) => value == ResourceLimits.Unlimited ? -1 : value;

    private static ulong? Microseconds(TimeSpan? time) => time is { } value ? (ulong)LimitText.Microseconds(value) : null;

    private static T? OrNothing<T>(T value, T nothing)
        where T : class => value.Equals(nothing) ? null : value;

    private static List<T>? Listed<T>(IEnumerable<T> entries) => entries.ToList() is { Count: > 0 } list ? list : null;

    private static void Refuse(bool isSaid, string name, string file)
    {
        if (isSaid) throw new CgroupException(CgroupErrorReason.NotSupported, $"The OCI runtime-spec has no field for {name}", remedy: $"put it into Unified, as {file}");
    }
}
