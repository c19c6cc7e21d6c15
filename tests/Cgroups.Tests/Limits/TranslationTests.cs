using System.Collections.Immutable;

namespace Isolation.Cgroups.Tests;

public class TranslationTests
{
    private static readonly DeviceNumber Disk = new(8, 0);

    public static TheoryData<string, ResourceLimits, string[], string[]> Table => new()
    {
        { "memory", new() { Memory = 64 << 20 }, ["memory.limit_in_bytes=67108864"], ["memory.max=67108864"] },
        { "memory and swap", new() { Memory = 100, MemoryAndSwap = 150 }, ["memory.limit_in_bytes=100", "memory.memsw.limit_in_bytes=150"], ["memory.max=100", "memory.swap.max=50"] },
        { "no swap", new() { Memory = 100, MemoryAndSwap = 100 }, ["memory.limit_in_bytes=100", "memory.memsw.limit_in_bytes=100"], ["memory.max=100", "memory.swap.max=0"] },
        { "no limit", new() { Memory = ResourceLimits.Unlimited, MemoryAndSwap = ResourceLimits.Unlimited }, ["memory.limit_in_bytes=-1", "memory.memsw.limit_in_bytes=-1"], ["memory.max=max", "memory.swap.max=max"] },
        { "reservation", new() { MemoryReservation = 7 }, ["memory.soft_limit_in_bytes=7"], ["memory.low=7"] },
        { "processors", new() { Cpus = 0.5 }, ["cpu.cfs_quota_us=50000"], ["cpu.max=50000 100000"] },
        { "period", new() { Cpus = 2, CpuPeriod = TimeSpan.FromMilliseconds(10) }, ["cpu.cfs_period_us=10000", "cpu.cfs_quota_us=20000"], ["cpu.max=20000 10000"] },
        { "no quota", new() { Cpus = ResourceLimits.Unlimited }, ["cpu.cfs_quota_us=-1"], ["cpu.max=max 100000"] },
        { "shares", new() { CpuShares = 1024 }, ["cpu.shares=1024"], ["cpu.weight=100"] },
        { "weight", new() { CpuWeight = 100 }, ["cpu.shares=1024"], ["cpu.weight=100"] },
        { "burst", new() { CpuBurst = TimeSpan.FromMilliseconds(1) }, ["cpu.cfs_burst_us=1000"], ["cpu.max.burst=1000"] },
        { "idle", new() { CpuIdle = true }, ["cpu.idle=1"], ["cpu.idle=1"] },
        { "set", new() { CpusetCpus = "0-1", CpusetMems = "0" }, ["cpuset.cpus=0-1", "cpuset.mems=0"], ["cpuset.cpus=0-1", "cpuset.mems=0"] },
        { "pids", new() { Pids = 5 }, ["pids.max=5"], ["pids.max=5"] },
        { "any pids", new() { Pids = ResourceLimits.Unlimited }, ["pids.max=max"], ["pids.max=max"] },
        {
            "devices", new() { IoDevices = [new(Disk) { ReadBytesPerSecond = 1, WriteOperationsPerSecond = ResourceLimits.Unlimited }] },
            ["blkio.throttle.read_bps_device=8:0 1", "blkio.throttle.write_iops_device=8:0 0"], ["io.max=8:0 rbps=1 wiops=max"]
        },
        { "io weight", new() { IoWeight = 100 }, ["blkio.bfq.weight=100"], ["io.weight=default 100"] },
        { "huge pages", new() { Hugetlb = [new(2 << 20, 4 << 20)] }, ["hugetlb.2MB.max=4194304"], ["hugetlb.2MB.max=4194304"] }, // of v2 on both machines
    };

    [Fact]
    public void Of_v2_a_weight_of_block_devices_is_written_for_each_scheduler_that_has_one()
    {
        ResourceLimits limits = new() { IoWeight = 10_000, IoDevices = [new(new(8, 0)) { Weight = 1 }] };
        string[] files = ["io.weight", "io.bfq.weight"];
        Assert.Equal(["io.weight=default 10000", "io.bfq.weight=default 1000", "io.weight=8:0 1", "io.bfq.weight=8:0 1"], Writes(files));
        Assert.Equal(["io.bfq.weight=default 1000", "io.bfq.weight=8:0 1"], Writes(files[1..]));

        string[] Writes(string[] has) => [.. LimitTranslation.Translate(limits, Machines.Pure, (_, file) => has.Contains(file)).Writes.Select(write => $"{write.File}={write.Value}")];
    }

    [Theory, MemberData(nameof(Table))]
    public void Each_limit_is_written_as_its_version_wants_it(string name, ResourceLimits limits, string[] v1, string[] v2)
    {
        Assert.NotEmpty(name);
        Assert.Equal(v1, Writes(Machines.Hybrid, limits));
        Assert.Equal(v2, Writes(Machines.Pure, limits));
    }

    [Fact]
    public void What_a_version_cannot_say_names_both_sides()
    {
        Assert.Equal(["memory.high is of v2; v1 has no limit that slows down without killing"], Gaps(Machines.Hybrid, new() { MemoryHigh = 1 }));
        Assert.Contains("memory.swappiness is of v1", Assert.Single(Gaps(Machines.Pure, new() { MemorySwappiness = 1 })), StringComparison.Ordinal);
        Assert.Contains("net_cls is of v1", Assert.Single(Gaps(Machines.Pure, new() { NetClass = 1 })), StringComparison.Ordinal);
        Assert.Contains("io.latency is of v2", Assert.Single(Gaps(Machines.Hybrid, new() { IoDevices = [new(Disk) { Latency = TimeSpan.FromMilliseconds(1) }] })), StringComparison.Ordinal);
        Assert.Contains("'x' is no controller", Assert.Single(Gaps(Machines.Pure, new() { Unified = ImmutableSortedDictionary<string, string>.Empty.Add("x.y", "1") })), StringComparison.Ordinal);
    }

    [Fact]
    public void Who_grows_grows_memory_and_swap_first()
    {
        ResourceLimits limits = new() { Memory = 200, MemoryAndSwap = 300 };

        Assert.Equal(["memory.memsw.limit_in_bytes=300", "memory.limit_in_bytes=200"], Writes(Machines.Hybrid, limits, new(MemoryAndSwap: 150)));
        Assert.Equal(["memory.limit_in_bytes=200", "memory.memsw.limit_in_bytes=300"], Writes(Machines.Hybrid, limits, new(MemoryAndSwap: 400)));
    }

    [Fact]
    public void Processors_are_counted_by_the_period_in_force_and_a_small_share_by_a_longer_one()
    {
        LimitsNow fifty = new(CpuPeriod: 50_000);

        Assert.Equal(["cpu.cfs_quota_us=50000"], Writes(Machines.Hybrid, new() { Cpus = 1 }, fifty));
        Assert.Equal(["cpu.max=50000 50000"], Writes(Machines.Pure, new() { Cpus = 1 }, fifty));
        Assert.Equal(["cpu.cfs_period_us=200000", "cpu.cfs_quota_us=1000"], Writes(Machines.Hybrid, new() { Cpus = 0.005 }));
        Assert.Equal(["cpu.max=1000 1000000"], Writes(Machines.Pure, new() { Cpus = 0.001 }, fifty));
        Assert.Equal(["cpu.max=max 50000"], Writes(Machines.Pure, new() { Cpus = ResourceLimits.Unlimited }, fifty));
        Assert.Throws<ArgumentException>(() => LimitValidation.Check(new() { Cpus = 0.005, CpuPeriod = TimeSpan.FromMilliseconds(100) }));
    }

    [Fact]
    public void What_somebody_wrote_by_the_files_name_is_taken_back_line_by_line()
    {
        ResourceLimits limits = new() { Unified = ImmutableSortedDictionary<string, string>.Empty.Add("io.max", "8:0 rbps=1").Add("memory.high", "5") };
        LimitWrite[] writes = [.. Plan(Machines.Pure, limits).Writes];

        Assert.Equal("8:0 rbps=9 wbps=max riops=max wiops=max", writes[0].Undo!("7:0 rbps=1 wbps=1 riops=1 wiops=1\n8:0 rbps=9 wbps=max riops=max wiops=max"));
        Assert.Equal("8:0 rbps=max wbps=max riops=max wiops=max", writes[0].Undo!(""));
        Assert.Equal("max", writes[1].Undo!("max"));
    }

    [Fact]
    public void What_is_taken_back_is_the_line_that_was()
    {
        LimitWrite throttle = Assert.Single(Plan(Machines.Hybrid, new() { IoDevices = [new(Disk) { ReadBytesPerSecond = 1 }] }).Writes);
        Assert.Equal("8:0 77", throttle.Undo!("7:0 5\n8:0 77"));
        Assert.Equal("8:0 0", throttle.Undo("7:0 5"));

        LimitWrite max = Assert.Single(Plan(Machines.Pure, new() { IoDevices = [new(Disk) { ReadBytesPerSecond = 1 }] }).Writes);
        Assert.Equal("8:0 rbps=9 wbps=max riops=max wiops=max", max.Undo!("8:0 rbps=9 wbps=max riops=max wiops=max"));
        Assert.Equal("8:0 rbps=max wbps=max riops=max wiops=max", max.Undo(""));

        LimitWrite oom = Assert.Single(Plan(Machines.Hybrid, new() { OomKillDisabled = true }).Writes);
        Assert.Equal("0", oom.Undo!("oom_kill_disable 0\nunder_oom 0\noom_kill 0"));
    }

    private static string[] Writes(CgroupSystem system, ResourceLimits limits, LimitsNow now = default)
    {
        LimitPlan plan = Plan(system, limits, now);
        Assert.Empty(plan.Gaps);
        return [.. plan.Writes.Select(write => $"{write.File}={write.Value}")];
    }

    private static string[] Gaps(CgroupSystem system, ResourceLimits limits) => [.. Plan(system, limits).Gaps.Select(gap => gap.Why)];

    private static LimitPlan Plan(CgroupSystem system, ResourceLimits limits, LimitsNow now = default) =>
        LimitTranslation.Translate(limits, system, (_, file) => file is "blkio.bfq.weight" or "io.weight", now);
}
