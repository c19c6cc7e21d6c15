namespace Isolation.Cgroups.Tests.Stats;

public sealed class V1ParserTests
{
    [Fact]
    public void Processor_time_is_in_nanoseconds_and_its_modes_in_hundredths_of_a_second()
    {
        CgroupCpuStats cpu = Reading.V1(("cpuacct.usage", "27059214285761\n"), ("cpuacct.stat", "user 1654452\nsystem 1051464\n")).Cpu;

        Assert.Equal(TimeSpan.FromTicks(270592142857), cpu.Usage);
        Assert.Equal(TimeSpan.FromSeconds(16544.52), cpu.User);
        Assert.Equal(TimeSpan.FromSeconds(10514.64), cpu.System);
        Assert.Null(cpu.Periods);
        Assert.Null(cpu.ThrottledTime);
        Assert.Null(cpu.PerProcessor);
    }

    [Fact]
    public void Processor_time_by_processor_ends_with_a_space()
    {
        CgroupStats stats = Reading.Of(CgroupVersion.V1, CgroupStatsDetails.PerProcessor, ("cpuacct.usage_percpu", "13501479610377 13557815479196 \n"));

        Assert.Equal([TimeSpan.FromTicks(135014796103), TimeSpan.FromTicks(135578154791)], stats.Cpu.PerProcessor!.Value);
    }

    [Fact]
    public void Throttling_is_in_nanoseconds()
    {
        CgroupCpuStats cpu = Reading.V1(("cpu.stat", "nr_periods 12\nnr_throttled 3\nthrottled_time 4567800\nnr_bursts 1\nburst_time 200\n")).Cpu;

        Assert.Equal(12, cpu.Periods);
        Assert.Equal(3, cpu.ThrottledPeriods);
        Assert.Equal(TimeSpan.FromTicks(45678), cpu.ThrottledTime);
        Assert.Equal(1, cpu.Bursts);
        Assert.Equal(TimeSpan.FromTicks(2), cpu.BurstTime);
        Assert.Null(cpu.Usage);
    }

    [Fact]
    public void A_kernel_without_bursts_has_none_and_not_zero()
    {
        CgroupCpuStats cpu = Reading.V1(("cpu.stat", "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n")).Cpu;

        Assert.Equal(0, cpu.Periods);
        Assert.Equal(TimeSpan.Zero, cpu.ThrottledTime);
        Assert.Null(cpu.Bursts);
        Assert.Null(cpu.BurstTime);
    }

    [Fact]
    public void Memory_statistics_include_the_groups_beneath()
    {
        CgroupMemoryStats memory = Reading.V1(("memory.stat", Fixtures.V1MemoryStat), ("memory.usage_in_bytes", "600000000\n")).Memory;

        Assert.Equal(140029952, memory.Anonymous);
        Assert.Equal(435777536, memory.FileCache);
        Assert.Equal(78163968, memory.SharedMemory);
        Assert.Equal(102391808, memory.InactiveFile);
        Assert.Equal(8192, memory.SwapUsage);
        Assert.Equal(128999970, memory.PageFaults);
        Assert.Equal(9237, memory.MajorPageFaults);
        Assert.Equal(600000000 - 102391808, memory.WorkingSet);
        Assert.Null(memory.Stat);
    }

    [Fact]
    public void All_of_memory_stat_is_there_by_name_when_asked_for()
    {
        CgroupMemoryStat stat = Reading.Of(CgroupVersion.V1, CgroupStatsDetails.MemoryStat, ("memory.stat", Fixtures.V1MemoryStat)).Memory.Stat!;

        Assert.Equal(635, stat["workingset_refault_file"]);
        Assert.Equal(1114782, stat["total_workingset_refault_file"]);
        Assert.Null(stat["slab"]);
        Assert.Null(stat[""]);
        Assert.Equal(42, stat.ToList().Count);
        Assert.Equal(new("cache", 9338880), stat.ToList()[0]);
    }

    [Fact]
    public void Memory_limits_and_peaks()
    {
        CgroupMemoryStats memory = Reading.V1(
            ("memory.max_usage_in_bytes", "5000\n"), ("memory.limit_in_bytes", "67108864\n"), ("memory.failcnt", "7\n"), ("memory.kmem.usage_in_bytes", "0\n"),
            ("memory.memsw.usage_in_bytes", "4096\n"), ("memory.memsw.max_usage_in_bytes", "8192\n"), ("memory.memsw.limit_in_bytes", "134217728\n"), ("memory.memsw.failcnt", "2\n")).Memory;

        Assert.Equal(5000, memory.Peak);
        Assert.Equal(67108864, memory.Limit);
        Assert.Equal(7, memory.LimitHits);
        Assert.Equal(0, memory.Kernel);
        Assert.Equal(4096, memory.MemorySwapUsage);
        Assert.Equal(8192, memory.MemorySwapPeak);
        Assert.Equal(134217728, memory.MemorySwapLimit);
        Assert.Equal(2, memory.MemorySwapLimitHits);
        Assert.Null(memory.SwapLimit);
        Assert.Null(memory.Usage);
    }

    [Theory]
    [InlineData("9223372036854771712")] // pages of 4 KiB
    [InlineData("9223372036854710272")] // of 64 KiB
    public void The_greatest_number_of_pages_is_no_limit(string text) =>
        Assert.Equal(ResourceLimits.Unlimited, Reading.V1(("memory.limit_in_bytes", text + "\n")).Memory.Limit);

    [Theory]
    [InlineData("oom_kill_disable 0\nunder_oom 1\noom_kill 3\n", true, 3L)]
    [InlineData("oom_kill_disable 1\nunder_oom 0\n", false, null)] // before Linux 4.13
    public void Out_of_memory(string text, bool under, long? kills)
    {
        CgroupMemoryStats memory = Reading.V1(("memory.oom_control", text)).Memory;

        Assert.Equal(under, memory.UnderOom);
        Assert.Equal(kills, memory.OomKills);
        Assert.Null(memory.OomEvents);
    }

    [Fact]
    public void Devices_come_from_two_files()
    {
        CgroupStats stats = Reading.V1(("blkio.throttle.io_service_bytes_recursive", Fixtures.V1BlkioBytes), ("blkio.throttle.io_serviced_recursive", Fixtures.V1BlkioOperations));

        Assert.Equal(2, stats.Io!.Value.Length);
        CgroupDeviceIo first = stats.Io.Value[0], second = stats.Io.Value[1];
        Assert.Equal((254u, 0u, 1459200L, 314773504L, 4096L), (first.Major, first.Minor, first.ReadBytes, first.WrittenBytes, first.DiscardedBytes));
        Assert.Equal((192L, 353L, 1L), (first.Reads, first.Writes, first.Discards));
        Assert.Equal((8u, 16u, 0L, 512L, 1L), (second.Major, second.Minor, second.ReadBytes, second.WrittenBytes, second.Writes));
    }

    [Theory]
    [InlineData("blkio.throttle.io_service_bytes")]
    [InlineData("blkio.bfq.io_service_bytes_recursive")]
    [InlineData("blkio.io_service_bytes_recursive")]
    public void Files_of_other_schedulers_and_kernels_read_the_same(string file) =>
        Assert.Equal(314773504, Reading.V1((file, Fixtures.V1BlkioBytes)).Io!.Value[0].WrittenBytes);

    [Fact]
    public void Of_two_that_count_a_device_the_greater_is_right()
    {
        CgroupStats stats = Reading.V1(("blkio.throttle.io_service_bytes_recursive", "8:0 Read 10\n8:0 Write 70\nTotal 80\n"), ("blkio.bfq.io_service_bytes_recursive", "9:0 Read 1\n8:0 Read 40\n8:0 Write 0\nTotal 41\n"));

        Assert.Equal([(8u, 40L, 70L), (9u, 1L, null)], stats.Io!.Value.Select(device => (device.Major, device.ReadBytes!.Value, device.WrittenBytes)));
    }

    [Fact]
    public void A_group_that_used_no_device_has_an_empty_list_and_one_without_the_controller_none()
    {
        Assert.Empty(Reading.V1(("blkio.throttle.io_service_bytes_recursive", "Total 0\n")).Io!.Value);
        Assert.Null(Reading.V1().Io);
    }

    [Fact]
    public void Huge_pages_by_size()
    {
        CgroupStats stats = Reading.V1(
            ("hugetlb.1GB.usage_in_bytes", "1073741824\n"), ("hugetlb.1GB.limit_in_bytes", "9223372035781033984\n"),
            ("hugetlb.2MB.usage_in_bytes", "0\n"), ("hugetlb.2MB.max_usage_in_bytes", "4194304\n"), ("hugetlb.2MB.limit_in_bytes", "8388608\n"), ("hugetlb.2MB.failcnt", "5\n"));

        CgroupHugetlbStats large = stats.Hugetlb!.Value[0], small = stats.Hugetlb.Value[1];
        Assert.Equal((1L << 30, 1L << 30, ResourceLimits.Unlimited), (large.PageSize, large.Usage, large.Limit));
        Assert.Null(large.Peak);
        Assert.Equal((2L << 20, 0L, 4L << 20, 8L << 20, 5L), (small.PageSize, small.Usage, small.Peak, small.Limit, small.LimitHits));
    }
}
