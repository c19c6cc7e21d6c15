namespace Isolation.Cgroups.Tests.Stats;

public sealed class V2ParserTests
{
    [Fact]
    public void Processor_time_is_in_microseconds()
    {
        CgroupCpuStats cpu = Reading.V2(("cpu.stat", Fixtures.V2CpuStat)).Cpu;

        Assert.Equal(TimeSpan.FromMicroseconds(26905848001), cpu.Usage);
        Assert.Equal(TimeSpan.FromMicroseconds(16450652000), cpu.User);
        Assert.Equal(TimeSpan.FromMicroseconds(10455196000), cpu.System);
        Assert.Equal((12L, 3L, 2L), (cpu.Periods, cpu.ThrottledPeriods, cpu.Bursts));
        Assert.Equal((TimeSpan.FromMicroseconds(4567), TimeSpan.FromMicroseconds(89)), (cpu.ThrottledTime, cpu.BurstTime));
    }

    [Fact]
    public void Without_the_cpu_controller_there_is_usage_alone()
    {
        CgroupCpuStats cpu = Reading.V2(("cpu.stat", "usage_usec 5\nuser_usec 3\nsystem_usec 2\n")).Cpu;

        Assert.Equal(TimeSpan.FromMicroseconds(5), cpu.Usage);
        Assert.Null(cpu.Periods);
        Assert.Null(cpu.ThrottledTime);
    }

    [Fact]
    public void Memory()
    {
        CgroupMemoryStats memory = Reading.V2(
            ("memory.stat", Fixtures.V2MemoryStat), ("memory.current", "11000000\n"), ("memory.peak", "12000000\n"), ("memory.max", "max\n"),
            ("memory.events", "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 6\nsock_throttled 7\n"),
            ("memory.swap.current", "0\n"), ("memory.swap.peak", "4096\n"), ("memory.swap.max", "8192\n"), ("memory.swap.events", "high 0\nmax 8\nfail 9\n")).Memory;

        Assert.Equal((11000000L, 12000000L, ResourceLimits.Unlimited), (memory.Usage, memory.Peak, memory.Limit));
        Assert.Equal((1531904L, 9338880L, 1343488L, 16384L, 4096L), (memory.Anonymous, memory.FileCache, memory.Kernel, memory.SharedMemory, memory.InactiveFile));
        Assert.Equal((63723L, 17L), (memory.PageFaults, memory.MajorPageFaults));
        Assert.Equal((1L, 2L, 3L, 4L, 5L, 6L), (memory.LowEvents, memory.HighEvents, memory.LimitHits, memory.OomEvents, memory.OomKills, memory.OomGroupKills));
        Assert.Equal((0L, 4096L, 8192L, 8L, 9L), (memory.SwapUsage, memory.SwapPeak, memory.SwapLimit, memory.SwapLimitHits, memory.SwapFailures));
        Assert.Equal(11000000 - 4096, memory.WorkingSet);
        Assert.Null(memory.MemorySwapUsage);
        Assert.Null(memory.UnderOom);
    }

    [Fact]
    public void An_old_kernel_lacks_some_figures()
    {
        // Linux 5.10: no memory.peak, no "kernel", no "oom_group_kill"
        CgroupMemoryStats memory = Reading.V2(("memory.stat", "anon 1\nfile 2\nkernel_stack 3\n"), ("memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n")).Memory;

        Assert.Equal((1L, 2L), (memory.Anonymous, memory.FileCache));
        Assert.Equal(0, memory.OomKills);
        Assert.Null(memory.Kernel);
        Assert.Null(memory.OomGroupKills);
        Assert.Null(memory.Peak);
    }

    [Fact]
    public void Devices()
    {
        CgroupStats stats = Reading.V2(("io.stat", Fixtures.V2IoStat));

        CgroupDeviceIo first = stats.Io!.Value[0], second = stats.Io.Value[1];
        Assert.Equal((8u, 16u, 1459200L, 314773504L, 50331648L), (first.Major, first.Minor, first.ReadBytes, first.WrittenBytes, first.DiscardedBytes));
        Assert.Equal((192L, 353L, 3L), (first.Reads, first.Writes, first.Discards));
        Assert.Equal((253u, 0u, 90430464L, 1252L), (second.Major, second.Minor, second.ReadBytes, second.Writes));
    }

    [Theory]
    [InlineData("8:0 8:16 rbytes=5 wbytes=6\n")]
    [InlineData("8:0 \n8:16 rbytes=5 wbytes=6\n7:1 ")]
    public void A_device_without_figures_is_none(string text)
    {
        CgroupDeviceIo device = Assert.Single(Reading.V2(("io.stat", text)).Io!.Value);

        Assert.Equal((8u, 16u, 5L, 6L), (device.Major, device.Minor, device.ReadBytes, device.WrittenBytes));
        Assert.Null(device.DiscardedBytes);
    }

    [Fact]
    public void An_empty_file_is_an_empty_list() => Assert.Empty(Reading.V2(("io.stat", "")).Io!.Value);

    [Fact]
    public void Pressure()
    {
        CgroupPressureStats pressure = Reading.V2(
            ("cpu.pressure", Fixtures.Pressure), ("memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n"), ("irq.pressure", "full avg10=1.50 avg60=0.00 avg300=0.00 total=9\n")).Pressure;

        Assert.Equal((97.12, 96.65, 3.09), (pressure.Cpu.Some!.Value.Average10, pressure.Cpu.Some.Value.Average60, pressure.Cpu.Some.Value.Average300));
        Assert.Equal(TimeSpan.FromMicroseconds(9944324879), pressure.Cpu.Some.Value.Total);
        Assert.Equal((100.0, 0.05, TimeSpan.Zero), (pressure.Cpu.Full!.Value.Average60, pressure.Cpu.Full.Value.Average300, pressure.Cpu.Full.Value.Total));
        Assert.Equal(TimeSpan.FromMicroseconds(5), pressure.Memory.Some!.Value.Total);
        Assert.Null(pressure.Memory.Full);
        Assert.Null(pressure.Io.Some);
        Assert.Null(pressure.Irq.Some);
        Assert.Equal(1.5, pressure.Irq.Full!.Value.Average10);
    }

    [Fact]
    public void Processes()
    {
        CgroupPidsStats pids = Reading.V2(("pids.current", "3\n"), ("pids.peak", "9\n"), ("pids.max", "max\n"), ("pids.events", "max 4\n")).Pids;

        Assert.Equal((3L, 9L, ResourceLimits.Unlimited, 4L), (pids.Current, pids.Peak, pids.Limit, pids.LimitHits));
        Assert.Null(Reading.V2(("pids.current", "3\n")).Pids.Peak);
    }

    [Fact]
    public void Huge_pages_by_size()
    {
        CgroupStats stats = Reading.V2(("hugetlb.2MB.current", "2097152\n"), ("hugetlb.2MB.max", "max\n"), ("hugetlb.2MB.events", "max 6\n"));

        CgroupHugetlbStats pages = Assert.Single(stats.Hugetlb!.Value);
        Assert.Equal((2L << 20, 2L << 20, ResourceLimits.Unlimited, 6L), (pages.PageSize, pages.Usage, pages.Limit, pages.LimitHits));
        Assert.Null(pages.Peak);
    }

    [Fact]
    public void Reservations_of_huge_pages_are_not_taken_for_a_size() =>
        Assert.Equal(6, Reading.AllFiles(CgroupVersion.V2).Count(file => file.Name.StartsWith("hugetlb.", StringComparison.Ordinal)));

    [Fact]
    public void Rdma_by_device()
    {
        // The kernel ends each line with a space.
        CgroupStats stats = Reading.V2(("rdma.current", "mlx4_0 hca_handle=2 hca_object=2000 \nocrdma1 hca_handle=1 hca_object=max \n"));

        Assert.Equal([("mlx4_0", 2L, 2000L), ("ocrdma1", 1L, int.MaxValue)], stats.Rdma!.Value.Select(device => (device.Device, device.Handles!.Value, device.Objects!.Value)));
        Assert.Empty(Reading.V2(("rdma.current", "")).Rdma!.Value);
        Assert.Null(Reading.V2().Rdma);
    }

    [Fact]
    public void Scalar_resources_by_name()
    {
        CgroupStats stats = Reading.V2(("misc.current", "sev 3\nsev_es 0\n"), ("misc.max", "sev max\nsev_es 4\n"));

        Assert.Equal([("sev", 3L, ResourceLimits.Unlimited), ("sev_es", 0L, 4L)], stats.Misc!.Value.Select(resource => (resource.Name, resource.Usage!.Value, resource.Limit!.Value)));
        Assert.Null(stats.Misc.Value[0].Peak);
    }
}
