namespace Isolation.Cgroups;

/// <summary>What can be known to be wrong before anything is made.</summary>
internal static class LimitValidation
{
    /// <exception cref="ArgumentException">A value is out of range, or two contradict each other.</exception>
    internal static void Check(ResourceLimits limits)
    {
        Amounts(limits);
        Processor(limits);
        Range(limits.MemorySwappiness, 0, 100, nameof(limits.MemorySwappiness));
        Range(limits.IoWeight, 1, 10000, nameof(limits.IoWeight));
        CpuList.Check(limits.CpusetCpus, nameof(limits.CpusetCpus));
        CpuList.Check(limits.CpusetMems, nameof(limits.CpusetMems));
        Swap(limits);
        foreach (IoDeviceLimit device in limits.IoDevices) Device(device);
        foreach (HugetlbLimit limit in limits.Hugetlb)
        {
            Refuse(limit.PageSize < 1024 || !long.IsPow2(limit.PageSize), nameof(limits.Hugetlb), $"a huge page of {limit.PageSize} bytes: sizes are powers of two, such as 2 MiB");
            Amount(limit.Bytes, nameof(limits.Hugetlb));
        }

        foreach (RdmaLimit limit in limits.Rdma)
        {
            Word(limit.Device, nameof(limits.Rdma));
            Amount(limit.Handles, nameof(limits.Rdma));
            Amount(limit.Objects, nameof(limits.Rdma));
            Refuse(limit is { Handles: null, Objects: null }, nameof(limits.Rdma), $"neither handles nor objects of {limit.Device}");
        }

        foreach (MiscLimit limit in limits.Misc)
        {
            Word(limit.Resource, nameof(limits.Misc));
            Amount(limit.Value, nameof(limits.Misc));
        }

        foreach (NetPriorityLimit limit in limits.NetPriorities) Word(limit.Interface, nameof(limits.NetPriorities));
        foreach (string file in limits.Unified.Keys)
            Refuse(file.Contains('/') || !file.Contains('.') || file.StartsWith("cgroup.", StringComparison.Ordinal), nameof(limits.Unified), $"'{file}': it takes a controller's file in the group itself, such as memory.high");
    }

    private static void Amounts(ResourceLimits limits)
    {
        Amount(limits.Memory, nameof(limits.Memory));
        Amount(limits.MemoryAndSwap, nameof(limits.MemoryAndSwap));
        Amount(limits.MemoryReservation, nameof(limits.MemoryReservation));
        Amount(limits.MemoryGuarantee, nameof(limits.MemoryGuarantee));
        Amount(limits.MemoryHigh, nameof(limits.MemoryHigh));
        Amount(limits.ZswapBytes, nameof(limits.ZswapBytes));
        Amount(limits.KernelTcpMemory, nameof(limits.KernelTcpMemory));
        Amount(limits.Pids, nameof(limits.Pids));
        Refuse(limits.Memory == 0, nameof(limits.Memory), "0 bytes: no program starts in no memory");
        Refuse(limits.Pids == 0, nameof(limits.Pids), "0 processes: no program starts where none may be");
    }

    private static void Processor(ResourceLimits limits)
    {
        Refuse(limits.Cpus is { } cpus && cpus != ResourceLimits.Unlimited && !(cpus >= 0.001 && cpus <= 1_000_000), nameof(limits.Cpus), $"{limits.Cpus}: it takes 0.001 of a processor or more");
        Time(limits.CpuPeriod, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(1), nameof(limits.CpuPeriod));
        Refuse(limits is { Cpus: { } share, CpuPeriod: { } period } && share != ResourceLimits.Unlimited && Math.Round(share * LimitText.Microseconds(period)) < LimitText.LeastQuota, nameof(limits.Cpus),
            $"{limits.Cpus} of a period of {limits.CpuPeriod?.TotalMilliseconds} ms, which is less than the millisecond that the kernel counts: give a longer CpuPeriod, or none");
        Time(limits.CpuBurst, TimeSpan.Zero, TimeSpan.FromDays(1), nameof(limits.CpuBurst));
        Time(limits.RealtimePeriod, TimeSpan.FromMicroseconds(1), TimeSpan.FromSeconds(2147), nameof(limits.RealtimePeriod));
        Time(limits.RealtimeRuntime, TimeSpan.Zero, TimeSpan.FromSeconds(2147), nameof(limits.RealtimeRuntime));
        Refuse(limits.CpuPeriod is not null && limits.Cpus is null, nameof(limits.CpuPeriod), "a period without Cpus, which it is the period of");
        Range(limits.CpuShares, 2, 262144, nameof(limits.CpuShares));
        Range(limits.CpuWeight, 1, 10000, nameof(limits.CpuWeight));
        Refuse(limits is { CpuShares: not null, CpuWeight: not null }, nameof(limits.CpuWeight), "CpuShares and CpuWeight, which are the same in other units");
        Percent(limits.UtilizationAtLeast, nameof(limits.UtilizationAtLeast));
        Percent(limits.UtilizationAtMost, nameof(limits.UtilizationAtMost));
        Refuse(limits.UtilizationAtLeast > limits.UtilizationAtMost, nameof(limits.UtilizationAtLeast), $"{limits.UtilizationAtLeast}, which is above UtilizationAtMost ({limits.UtilizationAtMost})");
    }

    private static void Swap(ResourceLimits limits)
    {
        if (limits.MemoryAndSwap is not { } both || both == ResourceLimits.Unlimited) return;
        Refuse(limits.Memory is null or ResourceLimits.Unlimited, nameof(limits.MemoryAndSwap), "memory and swap together without a limit of memory: set Memory as well");
        Refuse(both < limits.Memory, nameof(limits.MemoryAndSwap), $"{both} bytes of memory and swap together, which is less than the memory alone ({limits.Memory})");
    }

    private static void Device(IoDeviceLimit limit)
    {
        foreach (long? value in (ReadOnlySpan<long?>)[limit.ReadBytesPerSecond, limit.WriteBytesPerSecond, limit.ReadOperationsPerSecond, limit.WriteOperationsPerSecond])
        {
            Amount(value, nameof(ResourceLimits.IoDevices));
            Refuse(value == 0, nameof(ResourceLimits.IoDevices), $"0 a second of device {limit.Device}, which would stop everything: deny the device, or use ResourceLimits.Unlimited");
        }

        Range(limit.Weight, 1, 10000, nameof(ResourceLimits.IoDevices));
        Time(limit.Latency, TimeSpan.Zero, TimeSpan.FromHours(1), nameof(ResourceLimits.IoDevices));
    }

    private static void Amount(long? value, string name) => Refuse(value < 0, name, $"{value}: it takes 0 or more, or ResourceLimits.Unlimited");

    private static void Range(int? value, int least, int most, string name) => Refuse(value < least || value > most, name, $"{value}: it takes {least} to {most}");

    private static void Percent(double? value, string name) => Refuse(value is { } percent && !(percent >= 0 && percent <= 100), name, $"{value}: it takes 0 to 100 percent");

    private static void Time(TimeSpan? value, TimeSpan least, TimeSpan most, string name) => Refuse(value < least || value > most, name, $"{value}: it takes {least} to {most}");

    private static void Word(string value, string name) => Refuse(string.IsNullOrWhiteSpace(value) || value.Any(char.IsWhiteSpace), name, $"the name '{value}'");

    private static void Refuse(bool isWrong, string name, string got)
    {
        if (isWrong) throw new ArgumentException($"{name} cannot be {got}.", name);
    }
}
