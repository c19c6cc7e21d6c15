using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;

namespace Isolation.Cgroups;

/// <summary>From the specification's fields to limits. Nothing is left out: what there is no limit for is an error.</summary>
internal static class OciToLimits
{
    /// <param name="resources">What to translate.</param>
    /// <param name="tolerant">Fields that the specification does not know are left out, as its "Extensibility" has runtimes do.</param>
    /// <exception cref="FormatException">A field is not of the specification, or a value that no limit can have.</exception>
    /// <exception cref="CgroupException">There is no limit for a field (NotSupported).</exception>
    internal static ResourceLimits Translate(OciResources resources, bool tolerant = false)
    {
        if (!tolerant && OciUnknownFields.Of(resources) is [_, ..] unknown) throw Bad(unknown[0], "it is not of the specification");
        ResourceLimits limits = Block(Processor(Memory(new(), resources.Memory), resources.Cpu), resources.BlockIO) with
        {
            Pids = Amount(resources.Pids?.Limit, "pids.limit"),
            Hugetlb = [.. (resources.HugepageLimits ?? []).Select((limit, index) => new HugetlbLimit(PageSize(limit.PageSize, $"hugepageLimits[{index}].pageSize"), Count(limit.Limit)))],
            Rdma = [.. (resources.Rdma ?? []).Select(entry => new RdmaLimit(entry.Key, entry.Value.HcaHandles, entry.Value.HcaObjects))],
            Devices = [.. OciDevices.ToRules(resources.Devices ?? [])],
            NetClass = resources.Network?.ClassId,
            NetPriorities = [.. (resources.Network?.Priorities ?? []).Select(entry => new NetPriorityLimit(entry.Name, entry.Priority))],
            Unified = ImmutableSortedDictionary.CreateRange(resources.Unified ?? []),
        };
        try
        {
            LimitValidation.Check(limits);
            return limits;
        }
        catch (ArgumentException exception)
        {
            throw new FormatException($"linux.resources: {exception.Message}", exception);
        }
    }

    private static ResourceLimits Memory(ResourceLimits limits, OciMemory? memory)
    {
        if (memory is null) return limits;

        // What the kernel does anyway is no limit that is left out: kernel memory is unlimited, and every group counts those beneath (Linux 5.11).
        Refuse(memory.Kernel is not (null or -1), "memory.kernel", "kernel memory has no limit of its own since Linux 6.1");
        Refuse(memory.UseHierarchy == false, "memory.useHierarchy", "a group always counts those beneath it since Linux 5.11");
        Refuse(memory.CheckBeforeUpdate == true, "memory.checkBeforeUpdate", "a limit is set whatever is used");
        return limits with
        {
            Memory = Amount(OrNull(memory.Limit), "memory.limit"),
            MemoryAndSwap = Amount(OrNull(memory.Swap), "memory.swap"),
            MemoryReservation = Amount(OrNull(memory.Reservation), "memory.reservation"),
            KernelTcpMemory = Amount(OrNull(memory.KernelTcp), "memory.kernelTCP"),
            MemorySwappiness = Small(memory.Swappiness, 100, "memory.swappiness"),
            OomKillDisabled = memory.DisableOomKiller,
        };
    }

    private static ResourceLimits Processor(ResourceLimits limits, OciCpu? cpu)
    {
        if (cpu is null) return limits;
        ulong? period = OrNull(cpu.Period);
        long? quota = OrNull(cpu.Quota);
        return limits with
        {
            CpuShares = Small(OrNull(cpu.Shares), CpuWeight.MaxShares, "cpu.shares"),
            CpuPeriod = Time(period, "cpu.period"),
            Cpus = quota > 0 ? (double)quota / (period ?? LimitText.DefaultPeriod) : quota is not null || period is not null ? ResourceLimits.Unlimited : null,
            CpuBurst = Time(cpu.Burst, "cpu.burst"),
            RealtimeRuntime = cpu.RealtimeRuntime is { } runtime ? Time(runtime < 0 ? throw Bad("cpu.realtimeRuntime", $"got {runtime}, want no less than 0") : (ulong)runtime, "cpu.realtimeRuntime") : null,
            RealtimePeriod = Time(cpu.RealtimePeriod, "cpu.realtimePeriod"),
            CpusetCpus = cpu.Cpus,
            CpusetMems = cpu.Mems,
            CpuIdle = cpu.Idle switch { null => null, 0 => false, 1 => true, { } idle => throw Bad("cpu.idle", $"got {idle}, want 0 or 1") },
        };
    }

    private static ResourceLimits Block(ResourceLimits limits, OciBlockIO? io)
    {
        if (io is null) return limits;
        Refuse(io.LeafWeight is not null, "blockIO.leafWeight", "it was of the scheduler cfq, gone since Linux 5.0");
        List<IoDeviceLimit> devices = [];
        for (int i = 0; i < io.WeightDevice?.Count; i++)
        {
            OciDeviceWeight entry = io.WeightDevice[i];
            string path = $"blockIO.weightDevice[{i}]";
            Refuse(entry.LeafWeight is not null, path + ".leafWeight", "it was of the scheduler cfq, gone since Linux 5.0");
            Set(Device(entry.Major, entry.Minor, path), path, device => device.Weight is not null, device => device with { Weight = Weight(entry.Weight, path + ".weight") });
        }

        Rates(io.ThrottleReadBpsDevice, "throttleReadBpsDevice", device => device.ReadBytesPerSecond is not null, (device, rate) => device with { ReadBytesPerSecond = rate });
        Rates(io.ThrottleWriteBpsDevice, "throttleWriteBpsDevice", device => device.WriteBytesPerSecond is not null, (device, rate) => device with { WriteBytesPerSecond = rate });
        Rates(io.ThrottleReadIopsDevice, "throttleReadIOPSDevice", device => device.ReadOperationsPerSecond is not null, (device, rate) => device with { ReadOperationsPerSecond = rate });
        Rates(io.ThrottleWriteIopsDevice, "throttleWriteIOPSDevice", device => device.WriteOperationsPerSecond is not null, (device, rate) => device with { WriteOperationsPerSecond = rate });
        return limits with { IoWeight = Weight(io.Weight, "blockIO.weight"), IoDevices = [.. devices] };

        void Rates(List<OciDeviceRate>? rates, string name, Func<IoDeviceLimit, bool> isSet, Func<IoDeviceLimit, long, IoDeviceLimit> set)
        {
            for (int i = 0; i < rates?.Count; i++)
            {
                // As v1's files have it, 0 is no limit.
                long rate = rates[i].Rate == 0 ? ResourceLimits.Unlimited : Count(rates[i].Rate);
                string path = $"blockIO.{name}[{i}]";
                Set(Device(rates[i].Major, rates[i].Minor, path), path, isSet, device => set(device, rate));
            }
        }

        void Set(DeviceNumber number, string path, Func<IoDeviceLimit, bool> isSet, Func<IoDeviceLimit, IoDeviceLimit> set)
        {
            int at = devices.FindIndex(device => device.Device == number);
            if (at < 0) devices.Add(set(new(number)));
            else devices[at] = isSet(devices[at]) ? throw Bad(path, $"the device {number} was there before") : set(devices[at]);
        }
    }

    private static DeviceNumber Device(long major, long minor, string path) =>
        major is >= 0 and <= uint.MaxValue && minor is >= 0 and <= uint.MaxValue ? new((uint)major, (uint)minor) : throw Bad(path, $"got the device {major}:{minor}");

    private static int? Weight(ushort? weight, string path) => weight switch
    {
        null or 0 => null,
        >= IoWeight.MinBlkio and <= IoWeight.MaxBlkio => IoWeight.FromBfq(weight.Value),
        _ => throw Bad(path, $"got {weight}, want {IoWeight.MinBlkio} to {IoWeight.MaxBlkio}"),
    };

    /// <summary>As a limit 0 is of no use there; who writes it means what runc (1.4) understands: nothing was said.</summary>
    private static T? OrNull<T>(T? value)
        where T : struct, INumberBase<T> => value is { } number && T.IsZero(number) ? null : value;

    private static long? Amount(long? value, string path) => value switch { -1 => ResourceLimits.Unlimited, < -1 => throw Bad(path, $"got {value}, want 0 or more, or -1"), _ => value };

    private static long Count(ulong value) => value >= long.MaxValue ? ResourceLimits.Unlimited : (long)value;

    private static int? Small(ulong? value, int most, string path) => value > (ulong)most ? throw Bad(path, $"got {value}, want {most} at most") : (int?)value;

    private static TimeSpan? Time(ulong? microseconds, string path) => microseconds is not { } value ? null
        : value > (ulong)(long.MaxValue / TimeSpan.TicksPerMicrosecond) ? throw Bad(path, $"got {value}, which is no time") : new TimeSpan((long)value * TimeSpan.TicksPerMicrosecond);

    private static long PageSize(string text, string path)
    {
        long unit = text.Length < 3 ? 0 : text[^2..] switch { "KB" => 1L << 10, "MB" => 1L << 20, "GB" => 1L << 30, _ => 0 };
        return unit > 0 && int.TryParse(text.AsSpan(0, text.Length - 2), NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count * unit : throw Bad(path, $"got \"{text}\", want a size such as 2MB");
    }

    private static void Refuse(bool isSaid, string path, string why)
    {
        if (isSaid) throw new CgroupException(CgroupErrorReason.NotSupported, $"linux.resources.{path} cannot be had: {why}", remedy: "leave it out");
    }

    private static FormatException Bad(string path, string why) => new($"linux.resources.{path}: {why}.");
}
