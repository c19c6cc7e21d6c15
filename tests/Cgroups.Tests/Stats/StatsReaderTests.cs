using System.Runtime.InteropServices;
using Isolation.Linux;

namespace Isolation.Cgroups.Tests.Stats;

public sealed class StatsReaderTests
{
    [Fact]
    public void Files_are_opened_once_and_read_anew()
    {
        using GroupDirectory group = new(("pids.current", "3\n"), ("pids.max", "max\n"));
        using StatsReader reader = new([group.As(CgroupController.Pids, CgroupVersion.V1)]);
        Assert.Equal(3, reader.Read().Pids.Current);

        group.Write("pids.current", "14\n");
        group.Write("pids.peak", "20\n"); // not there when the reader was made

        CgroupPidsStats pids = reader.Read().Pids;
        Assert.Equal((14L, ResourceLimits.Unlimited), (pids.Current, pids.Limit));
        Assert.Null(pids.Peak);
    }

    [Fact]
    public void Controllers_of_both_versions_go_into_one_reading()
    {
        using GroupDirectory memory = new(("memory.usage_in_bytes", "4096\n"), ("memory.current", "1\n"));
        using GroupDirectory unified = new(("cpu.stat", Fixtures.V2CpuStat), ("memory.pressure", Fixtures.Pressure), ("hugetlb.2MB.current", "0\n"), ("hugetlb.2MB.rsvd.current", "0\n"));
        using StatsReader reader = new(
        [
            memory.As(CgroupController.Memory, CgroupVersion.V1), unified.As(CgroupController.Memory, CgroupVersion.V2), unified.As(CgroupController.Cpu, CgroupVersion.V2),
            unified.As(CgroupController.CpuAccounting, CgroupVersion.V2), unified.As(CgroupController.Hugetlb, CgroupVersion.V2), unified.As(CgroupController.Freezer, CgroupVersion.V2),
        ]);

        CgroupStats stats = reader.Read();

        Assert.Equal(4096, stats.Memory.Usage);
        Assert.Equal(97.12, stats.Pressure.Memory.Some!.Value.Average10);
        Assert.Equal(12, stats.Cpu.Periods);
        Assert.Equal(0, Assert.Single(stats.Hugetlb!.Value).Usage);
        Assert.Null(stats.Io);
    }

    [Fact]
    public void Nothing_is_left_of_the_reading_before()
    {
        using GroupDirectory group = new(("io.stat", Fixtures.V2IoStat), ("rdma.current", "a hca_handle=1 hca_object=1 \n"));
        using StatsReader reader = new([group.As(CgroupController.Io, CgroupVersion.V2), group.As(CgroupController.Rdma, CgroupVersion.V2)]);
        CgroupStats first = reader.Read();

        group.Write("io.stat", "253:0 rbytes=1\n");
        group.Write("rdma.current", "b hca_handle=2 hca_object=2 \na hca_handle=3 hca_object=3 \n");
        CgroupStats second = reader.Read();

        Assert.Equal([8u, 253u], first.Io!.Value.Select(device => device.Major));
        CgroupDeviceIo device = Assert.Single(second.Io!.Value);
        Assert.Equal((253u, 1L), (device.Major, device.ReadBytes));
        Assert.Null(device.WrittenBytes);
        Assert.Equal([("a", 1L)], first.Rdma!.Value.Select(rdma => (rdma.Device, rdma.Handles!.Value)));
        Assert.Equal([("b", 2L), ("a", 3L)], second.Rdma!.Value.Select(rdma => (rdma.Device, rdma.Handles!.Value)));
    }

    [Fact]
    public void A_file_of_any_length_is_read_whole()
    {
        string text = string.Concat(Enumerable.Range(0, 2000).Select(minor => $"8:{minor} rbytes={minor} wbytes=0 rios=0 wios=0 dbytes=0 dios=0\n"));
        using GroupDirectory group = new(("io.stat", text));
        using StatsReader reader = new([group.As(CgroupController.Io, CgroupVersion.V2)]);

        Assert.Equal(Enumerable.Range(0, 2000).Select(minor => (long?)minor), reader.Read().Io!.Value.Select(device => device.ReadBytes));
    }

    [Fact]
    public void Details_are_read_when_asked_for()
    {
        using GroupDirectory group = new(("memory.stat", Fixtures.V1MemoryStat), ("cpuacct.usage_percpu", "1 2 x\n"));
        using StatsReader reader = new([group.As(CgroupController.Memory, CgroupVersion.V1), group.As(CgroupController.CpuAccounting, CgroupVersion.V1)]);

        Assert.Null(reader.Read().Memory.Stat);
        Assert.Equal(635, reader.Read(CgroupStatsDetails.MemoryStat).Memory.Stat!["workingset_refault_file"]);
        Assert.Throws<CgroupException>(() => reader.Read(CgroupStatsDetails.PerProcessor));
    }

    [Fact]
    public void A_reader_goes_on_after_a_malformed_file()
    {
        using GroupDirectory group = new(("pids.current", "many\n"));
        using StatsReader reader = new([group.As(CgroupController.Pids, CgroupVersion.V2)]);

        Assert.Equal(CgroupErrorReason.Malformed, Assert.Throws<CgroupException>(() => reader.Read()).Reason);
        group.Write("pids.current", "5\n");
        Assert.Equal(5, reader.Read().Pids.Current);
    }

    [Fact]
    public void A_directory_that_is_no_group_is_refused()
    {
        using GroupDirectory group = new(("pids.current", "5\n"));
        group.Delete("cgroup.procs");

        Assert.Equal(CgroupErrorReason.Gone, Assert.Throws<CgroupException>(() => new StatsReader([group.As(CgroupController.Pids, CgroupVersion.V2)])).Reason);
    }

    // What a file system of our own cannot answer, the test makes the kernel's answer.
    [Theory]
    [InlineData(Errno.ENODEV)] // the controller was disabled, or pressure accounting turned off
    [InlineData(Errno.EOPNOTSUPP)] // psi=0
    public void A_file_that_goes_away_while_the_group_stays_is_missing_from_then_on(Errno errno)
    {
        using GroupDirectory group = new(("cpu.stat", Fixtures.V2CpuStat), ("cpu.pressure", Fixtures.Pressure));
        using StatsReader reader = new([group.As(CgroupController.Cpu, CgroupVersion.V2)]);
        int reads = 0;

        CgroupStats stats = Failing(call => call == SystemCall.pread64 && ++reads == 2 ? -(int)errno : 0, () => reader.Read());

        Assert.Equal(12, stats.Cpu.Periods);
        Assert.Null(stats.Pressure.Cpu.Some);
        Assert.Equal(2, reads);
        Assert.Null(reader.Read().Pressure.Cpu.Some);
    }

    [Theory]
    [InlineData(Errno.EACCES, CgroupErrorReason.NotPermitted)]
    [InlineData(Errno.EMFILE, CgroupErrorReason.Failed)]
    public void A_file_that_cannot_be_opened_is_not_passed_over(Errno errno, CgroupErrorReason reason)
    {
        using GroupDirectory group = new(("pids.current", "1\n"), ("pids.max", "2\n"));
        int opens = 0;

        CgroupException failure = Assert.Throws<CgroupException>(() => Failing(
            call => call == SystemCall.openat && ++opens == 3 ? -(int)errno : 0, () => new StatsReader([group.As(CgroupController.Pids, CgroupVersion.V2)])));

        Assert.Equal((reason, errno), (failure.Reason, failure.Errno));
    }

    [Fact]
    public void A_read_that_fails_says_so()
    {
        using GroupDirectory group = new(("pids.current", "1\n"));
        using StatsReader reader = new([group.As(CgroupController.Pids, CgroupVersion.V2)]);

        CgroupException failure = Assert.Throws<CgroupException>(() => Failing(call => call == SystemCall.pread64 ? -(int)Errno.EIO : 0, () => reader.Read()));

        Assert.Equal((CgroupErrorReason.Failed, Errno.EIO), (failure.Reason, failure.Errno));
        Assert.Contains("pids.current", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_disposed_reader_reads_no_more()
    {
        using GroupDirectory group = new(("pids.current", "1\n"));
        StatsReader reader = new([group.As(CgroupController.Pids, CgroupVersion.V2)]);
        reader.Dispose();
        reader.Dispose();

        Assert.Throws<ObjectDisposedException>(() => reader.Read());
        Assert.False(group.Descriptor.IsClosed);
    }

    [Fact]
    public async Task Readings_from_many_threads_are_whole()
    {
        using GroupDirectory group = new(("io.stat", Fixtures.V2IoStat), ("pids.current", "7\n"));
        using StatsReader reader = new([group.As(CgroupController.Io, CgroupVersion.V2), group.As(CgroupController.Pids, CgroupVersion.V2)]);

        await Parallel.ForAsync(0, 2000, TestContext.Current.CancellationToken, (_, _) =>
        {
            CgroupStats stats = reader.Read();
            Assert.Equal((2, 299008000L, 7L), (stats.Io!.Value.Length, stats.Io.Value[1].WrittenBytes, stats.Pids.Current));
            return ValueTask.CompletedTask;
        });
    }

    [Fact]
    public void Two_readings_tell_how_many_processors_were_used()
    {
        using GroupDirectory group = new(("cpu.stat", "usage_usec 1000000\n"));
        using StatsReader reader = new([group.As(CgroupController.Cpu, CgroupVersion.V2)]);
        CgroupStats first = reader.Read();
        Thread.Sleep(2);
        group.Write("cpu.stat", "usage_usec 3000000\n");
        CgroupStats second = reader.Read();

        Assert.Equal(TimeSpan.FromSeconds(2) / second.ElapsedSince(first), second.ProcessorsSince(first)!.Value, 6);
        Assert.Null(first.ProcessorsSince(second)); // no time passes backwards
        Assert.Null(second.ProcessorsSince(second));
        Assert.Equal(DateTimeKind.Utc, second.ReadAt.UtcDateTime.Kind);
        Assert.InRange(second.ReadAt - first.ReadAt, TimeSpan.Zero, TimeSpan.FromMinutes(1));
    }

    /// <summary>The kernel's answers on this thread while something runs.</summary>
    private static T Failing<T>(Func<SystemCall, nint> answer, Func<T> action)
    {
        int thread = Environment.CurrentManagedThreadId;
        Syscall.Failpoint = call => Environment.CurrentManagedThreadId == thread ? answer(call) : 0;
        try
        {
            return action();
        }
        finally
        {
            Syscall.Failpoint = null;
        }
    }
}
