using System.Collections.Immutable;

namespace Isolation.Cgroups.Tests;

/// <summary>Between <c>linux.resources</c> and limits.</summary>
public sealed class OciLimitsTests
{
    private static readonly DeviceNumber Disk = new(8, 0);

    /// <summary>The examples of config-linux.md, put together.</summary>
    private const string Example = """
        {
          "devices": [ { "allow": false, "access": "rwm" }, { "allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw" }, { "allow": true, "type": "b", "major": 8, "minor": 0, "access": "r" } ],
          "memory": { "limit": 536870912, "reservation": 536870912, "swap": 536870912, "kernel": -1, "kernelTCP": -1, "swappiness": 0, "disableOOMKiller": false },
          "cpu": { "shares": 1024, "quota": 1000000, "burst": 1000000, "period": 500000, "realtimeRuntime": 950000, "realtimePeriod": 1000000, "cpus": "2-3", "mems": "0-7" },
          "pids": { "limit": 32771 },
          "blockIO": {
            "weight": 10,
            "weightDevice": [ { "major": 8, "minor": 0, "weight": 500 } ],
            "throttleReadBpsDevice": [ { "major": 8, "minor": 0, "rate": 600 } ],
            "throttleWriteIOPSDevice": [ { "major": 8, "minor": 16, "rate": 0 } ]
          },
          "hugepageLimits": [ { "pageSize": "2MB", "limit": 209715200 }, { "pageSize": "64KB", "limit": 1000000 } ],
          "network": { "classID": 1048577, "priorities": [ { "name": "eth0", "priority": 500 }, { "name": "eth1", "priority": 1000 } ] },
          "rdma": { "mlx5_1": { "hcaHandles": 3, "hcaObjects": 10000 }, "rxe3": { "hcaObjects": 10000 } },
          "unified": { "memory.high": "1", "hugetlb.1GB.max": "1073741824" }
        }
        """;

    [Fact]
    public void Every_field_becomes_a_limit()
    {
        ResourceLimits limits = ResourceLimits.FromOciJson(Example);

        Assert.Equal((512L << 20, 512L << 20, 512L << 20, ResourceLimits.Unlimited, 0, false), (limits.Memory, limits.MemoryAndSwap, limits.MemoryReservation, limits.KernelTcpMemory, limits.MemorySwappiness, limits.OomKillDisabled));
        Assert.Equal((1024, 2.0, TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(1)), (limits.CpuShares, limits.Cpus, limits.CpuPeriod, limits.CpuBurst));
        Assert.Equal((TimeSpan.FromMilliseconds(950), TimeSpan.FromSeconds(1), "2-3", "0-7"), (limits.RealtimeRuntime, limits.RealtimePeriod, limits.CpusetCpus, limits.CpusetMems));
        Assert.Equal((32771L, 10, 1048577u), (limits.Pids, limits.IoWeight, limits.NetClass));
        Assert.Equal([new(Disk) { Weight = 4500, ReadBytesPerSecond = 600 }, new(new(8, 16)) { WriteOperationsPerSecond = ResourceLimits.Unlimited }], limits.IoDevices);
        Assert.Equal([new(2 << 20, 209715200), new(64 << 10, 1000000)], limits.Hugetlb);
        Assert.Equal([new("mlx5_1", 3, 10000), new("rxe3", null, 10000)], limits.Rdma);
        Assert.Equal([new("eth0", 500), new("eth1", 1000)], limits.NetPriorities);
        Assert.Equal([DeviceRule.Deny("a"), DeviceRule.Allow("c 10:229 rw"), DeviceRule.Allow("b 8:0 r")], limits.Devices);
        Assert.Equal("1", limits.Unified["memory.high"]);

        // What bfq takes is the number of the specification, on v1 and on v2.
        Assert.Equal(500, IoWeight.ToBfq(limits.IoDevices[0].Weight!.Value));
    }

    [Theory]
    [InlineData("""{ "memory": { "limit": -1, "swap": -1 }, "cpu": { "quota": -1 }, "pids": { "limit": -1 } }""")]
    [InlineData("""{ "memory": { "limit": 9223372036854775807, "swap": 9223372036854775807 }, "cpu": { "quota": -5, "period": 100000 }, "pids": { "limit": -1 } }""")]
    public void No_limit_is_unlimited(string json)
    {
        ResourceLimits limits = ResourceLimits.FromOciJson(json);

        Assert.Equal((ResourceLimits.Unlimited, ResourceLimits.Unlimited, ResourceLimits.Unlimited), (limits.Memory, limits.MemoryAndSwap, limits.Pids));
        Assert.Equal(ResourceLimits.Unlimited, limits.Cpus);
        Assert.Equal("""{"memory":{"limit":-1,"swap":-1},"cpu":{"quota":-1,"period":100000},"pids":{"limit":-1}}""", limits.ToOciJson());
    }

    [Fact]
    public void Nothing_is_nothing()
    {
        Assert.Equal("{}", ResourceLimits.None.ToOciJson());
        Assert.Equal("{}", ResourceLimits.FromOciJson("""{ "memory": {}, "cpu": {}, "blockIO": {}, "network": {}, "devices": [] }""").ToOciJson());
        Assert.Equal("{}", ResourceLimits.FromOciJson("""{ "memory": { "limit": 0, "swap": 0, "reservation": 0 }, "cpu": { "shares": 0, "quota": 0, "period": 0 }, "blockIO": { "weight": 0 } }""").ToOciJson());
        Assert.Equal("{}", ResourceLimits.FromOciJson("""{ "memory": { "kernel": -1, "useHierarchy": true, "checkBeforeUpdate": false } }"""u8).ToOciJson());
    }

    [Fact]
    public void A_period_alone_is_a_period_without_a_limit() =>
        Assert.Equal("""{"cpu":{"quota":-1,"period":50000}}""", ResourceLimits.FromOciJson("""{ "cpu": { "period": 50000 } }""").ToOciJson());

    [Theory]
    [InlineData("""{ "memory": { "limits": 5 } }""", "memory.limits")]
    [InlineData("""{ "memory": { "limit": -2 } }""", "memory.limit")]
    [InlineData("""{ "memory": { "swappiness": 101 } }""", "memory.swappiness")]
    [InlineData("""{ "memory": { "swap": 100 } }""", "MemoryAndSwap")]
    [InlineData("""{ "cpu": { "shares": 262145 } }""", "cpu.shares")]
    [InlineData("""{ "cpu": { "quota": 1000, "period": 18446744073709551615 } }""", "cpu.period")]
    [InlineData("""{ "cpu": { "realtimeRuntime": -1 } }""", "cpu.realtimeRuntime")]
    [InlineData("""{ "cpu": { "idle": 2 } }""", "cpu.idle")]
    [InlineData("""{ "cpu": { "cpus": "1-" } }""", "CpusetCpus")]
    [InlineData("""{ "blockIO": { "weight": 9 } }""", "blockIO.weight")]
    [InlineData("""{ "blockIO": { "throttleReadBpsDevice": [ { "major": -1, "minor": 0, "rate": 1 } ] } }""", "throttleReadBpsDevice[0]")]
    [InlineData("""{ "blockIO": { "throttleReadBpsDevice": [ { "major": 8, "minor": 0, "rate": 1 }, { "major": 8, "minor": 0, "rate": 2 } ] } }""", "throttleReadBpsDevice[1]")]
    [InlineData("""{ "hugepageLimits": [ { "pageSize": "2M", "limit": 1 } ] }""", "hugepageLimits[0].pageSize")]
    [InlineData("""{ "unified": { "cgroup.procs": "1" } }""", "Unified")]
    [InlineData("""{ "devices": [ { "allow": true } ] }""", "devices[0].access")]
    [InlineData("""{ "pids": {} }""", "limit")]
    [InlineData("""{ "pids": 5 }""", "pids")]
    [InlineData("""[ 1 ]""", "linux.resources")]
    [InlineData("", "linux.resources")]
    public void What_is_wrong_is_named(string json, string name) =>
        Assert.Contains(name, Assert.Throws<FormatException>(() => ResourceLimits.FromOciJson(json)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("""{ "memory": { "kernel": 1 } }""", "memory.kernel")]
    [InlineData("""{ "memory": { "useHierarchy": false } }""", "memory.useHierarchy")]
    [InlineData("""{ "memory": { "checkBeforeUpdate": true } }""", "memory.checkBeforeUpdate")]
    [InlineData("""{ "blockIO": { "leafWeight": 10 } }""", "blockIO.leafWeight")]
    [InlineData("""{ "blockIO": { "weightDevice": [ { "major": 8, "minor": 0, "leafWeight": 10 } ] } }""", "blockIO.weightDevice[0].leafWeight")]
    public void What_there_is_no_limit_for_is_named(string json, string name)
    {
        CgroupException exception = Assert.Throws<CgroupException>(() => ResourceLimits.FromOciJson(json));

        Assert.Equal(CgroupErrorReason.NotSupported, exception.Reason);
        Assert.Contains(name, exception.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, ResourceLimits> Fieldless => new()
    {
        { "MemoryGuarantee", new() { MemoryGuarantee = 1 } },
        { "MemoryHigh", new() { MemoryHigh = 1 } },
        { "ZswapBytes", new() { ZswapBytes = 1 } },
        { "OomKillsAll", new() { OomKillsAll = true } },
        { "UtilizationAtLeast", new() { UtilizationAtLeast = 1 } },
        { "UtilizationAtMost", new() { UtilizationAtMost = 1 } },
        { "CpusetPartition", new() { CpusetPartition = CpusetPartition.Root } },
        { "Misc", new() { Misc = [new("sev", 1)] } },
        { "Latency", new() { IoDevices = [new(Disk) { Latency = TimeSpan.FromMilliseconds(1) }] } },
        { "IoWeight", new() { IoWeight = 9 } },
        { "IoWeight", new() { IoWeight = 101 } },
        { "rdma", new() { Rdma = [new("mlx5_1", ResourceLimits.Unlimited, null)] } },
    };

    [Theory, MemberData(nameof(Fieldless))]
    public void What_has_no_field_is_named(string name, ResourceLimits limits)
    {
        CgroupException exception = Assert.Throws<CgroupException>(limits.ToOciJson);

        Assert.Equal(CgroupErrorReason.NotSupported, exception.Reason);
        Assert.Contains(name, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_can_be_said_is_read_as_it_was_written()
    {
        for (int seed = 0; seed < 2000; seed++)
        {
            ResourceLimits limits = Any(new Random(seed));
            string json = limits.ToOciJson();
            ResourceLimits read = ResourceLimits.FromOciJson(json);

            Assert.Equal(json, read.ToOciJson());
            Assert.Equal(limits with { IoDevices = [], Hugetlb = [], Rdma = [], Devices = [], NetPriorities = [], Unified = ImmutableSortedDictionary<string, string>.Empty }, read with { IoDevices = [], Hugetlb = [], Rdma = [], Devices = [], NetPriorities = [], Unified = ImmutableSortedDictionary<string, string>.Empty });
            Assert.Equal(limits.IoDevices.ToHashSet(), read.IoDevices.ToHashSet());
            Assert.Equal(limits.Hugetlb, read.Hugetlb);
            Assert.Equal(limits.Rdma, read.Rdma);
            Assert.Equal(limits.Devices, read.Devices);
            Assert.Equal(limits.NetPriorities, read.NetPriorities);
            Assert.Equal(limits.Unified, read.Unified);
        }
    }

    private static ResourceLimits Any(Random random)
    {
        long? memory = Maybe(Amount);
        bool limited = random.Next(2) == 0;
        return new()
        {
            Memory = memory,
            MemoryAndSwap = memory is null or ResourceLimits.Unlimited ? Maybe(() => ResourceLimits.Unlimited) : Maybe(() => memory.Value + random.Next(1000)),
            MemoryReservation = Maybe(Amount),
            KernelTcpMemory = Maybe(Amount),
            MemorySwappiness = Maybe(() => random.Next(101)),
            OomKillDisabled = Maybe(() => random.Next(2) == 0),
            Cpus = limited ? random.Next(5) == 0 ? ResourceLimits.Unlimited : random.Next(1000, 10_000_000) / 100_000.0 : null,
            CpuPeriod = limited ? TimeSpan.FromMilliseconds(100) : null,
            CpuBurst = Maybe(Time),
            CpuShares = Maybe(() => random.Next(2, 262145)),
            CpuIdle = Maybe(() => random.Next(2) == 0),
            RealtimeRuntime = Maybe(Time),
            RealtimePeriod = Maybe(Time),
            CpusetCpus = random.Next(2) == 0 ? "0-3,8" : null,
            CpusetMems = random.Next(2) == 0 ? "0" : null,
            Pids = Maybe(Amount),
            IoWeight = Maybe(Weight),
            IoDevices = [.. Some().Select(minor => new IoDeviceLimit(new(8, (uint)minor)) { Weight = Weight(), ReadBytesPerSecond = Maybe(Amount), WriteBytesPerSecond = Maybe(Amount), ReadOperationsPerSecond = Maybe(Amount), WriteOperationsPerSecond = Maybe(Amount) })],
            Hugetlb = [.. Some().Select(shift => new HugetlbLimit(1L << (10 + shift), Amount()))],
            Rdma = [.. Some().Select(number => new RdmaLimit($"mlx{number}", Maybe(() => (long)random.Next()), random.Next()))],
            Devices = [.. Some().Select(major => random.Next(2) == 0 ? DeviceRule.Allow((DeviceType)random.Next(3), major) : DeviceRule.Deny(DeviceType.Char, major, random.Next(10), DeviceAccess.Read))],
            NetClass = Maybe(() => (uint)random.Next()),
            NetPriorities = [.. Some().Select(number => new NetPriorityLimit($"eth{number}", (uint)random.Next()))],
            Unified = Some().ToImmutableSortedDictionary(number => $"memory.file{number}", number => $"{number}"),
        };

        T? Maybe<T>(Func<T> make)
            where T : struct => random.Next(2) == 0 ? make() : null;
        long Amount() => random.Next(5) == 0 ? ResourceLimits.Unlimited : random.NextInt64(1, 1L << 40);
        TimeSpan Time() => TimeSpan.FromMicroseconds(random.Next(1, 1_000_000));
        int Weight() => IoWeight.FromBfq(random.Next(10, 1001));
        IEnumerable<int> Some() => Enumerable.Range(0, 8).Where(_ => random.Next(3) == 0).ToList();
    }
}
