using System.Diagnostics;
using Isolation.Cgroups;

namespace Isolation.Live.Tests;

/// <summary>Processor time: shared out by weight, counted, and on which processors.</summary>
[Trait("Lane", "VM")]
public sealed class CgroupCpuTests
{
    internal const string Busy = "exec taskset -c 0 sh -c 'while :; do :; done'";

    [Fact]
    public async Task Two_that_want_one_processor_share_it_by_their_weights()
    {
        await using CgroupScope heavy = CgroupScope.Create(new() { CpuWeight = 1000 }, CgroupController.Cpu, CgroupController.CpuAccounting);
        await using CgroupScope light = CgroupScope.Create(new() { CpuWeight = 100 }, CgroupController.Cpu, CgroupController.CpuAccounting);
        using Process first = heavy.Start(Busy), second = light.Start(Busy);

        await CgroupScope.SharesAsync(3, () => heavy.Group.ReadStats().Cpu.Usage!.Value.TotalMilliseconds, () => light.Group.ReadStats().Cpu.Usage!.Value.TotalMilliseconds); // ten times as much, on a quiet machine
        Assert.True(light.Group.ReadStats().Cpu.Usage > TimeSpan.Zero);
    }

    [Fact]
    public async Task Real_time_is_for_whom_it_was_given_to()
    {
        CgroupScope.Requires(CgroupController.Cpu);
        ResourceLimits limits = new() { RealtimePeriod = TimeSpan.FromSeconds(1), RealtimeRuntime = TimeSpan.FromMilliseconds(100) };
        if (CgroupScope.IsV2(CgroupController.Cpu))
        {
            CgroupException exception = Assert.Throws<CgroupException>(() => Cgroup.Create(CgroupScope.NewName(), limits));
            Assert.Equal(CgroupErrorReason.NotSupported, exception.Reason);
            Assert.Contains(nameof(limits.RealtimeRuntime), exception.Message, StringComparison.Ordinal);
            return;
        }

        Assert.SkipUnless(await CgroupScope.HasFileAsync(CgroupController.Cpu, "cpu.rt_runtime_us"), "the kernel has no CONFIG_RT_GROUP_SCHED");
        await using CgroupScope given = CgroupScope.Create(limits, CgroupController.Cpu), none = CgroupScope.Create(ResourceLimits.None, CgroupController.Cpu);
        const string RealTime = "chrt --fifo 1 echo in time || echo refused";
        Assert.Equal("in time\n", (await given.RunAsync(RealTime)).Output);
        Assert.Equal("refused\n", (await none.RunAsync(RealTime)).Output);
    }

    [Fact]
    public async Task A_burst_is_what_was_said()
    {
        CgroupScope.Requires(CgroupController.Cpu);
        ResourceLimits limits = new() { Cpus = 0.5, CpuBurst = TimeSpan.FromMilliseconds(20) };
        string file = CgroupScope.IsV2(CgroupController.Cpu) ? "cpu.max.burst" : "cpu.cfs_burst_us";
        if (!await CgroupScope.HasFileAsync(CgroupController.Cpu, file))
        {
            CgroupException exception = Assert.Throws<CgroupException>(() => Cgroup.Create(CgroupScope.NewName(), limits));
            Assert.Equal(CgroupErrorReason.NotSupported, exception.Reason);
            Assert.Contains(file, exception.Message, StringComparison.Ordinal);
            return;
        }

        await using CgroupScope scope = CgroupScope.Create(limits, CgroupController.Cpu);

        Assert.Equal(20_000, scope.Number(CgroupController.Cpu, file));
    }

    [Fact]
    public async Task Who_was_quiet_uses_more_than_the_quota_and_that_is_counted()
    {
        bool v2 = CgroupScope.IsV2(CgroupController.Cpu);
        CgroupScope.Requires(CgroupController.Cpu);
        Assert.SkipUnless(await CgroupScope.HasFileAsync(CgroupController.Cpu, v2 ? "cpu.max.burst" : "cpu.cfs_burst_us"), "bursts are there since Linux 5.14");
        await using CgroupScope scope = CgroupScope.Create(new() { Cpus = 0.2, CpuBurst = TimeSpan.FromMilliseconds(20) }, CgroupController.Cpu);
        Assert.SkipWhen(scope.Group.ReadStats().Cpu.Bursts is null, "bursts are counted since Linux 5.15");

        using Process process = scope.Start("while :; do sleep 0.3; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; done");

        await CgroupScope.UntilAsync(() => scope.Group.ReadStats().Cpu is { Bursts: > 0 } cpu && cpu.BurstTime > TimeSpan.Zero);
    }

    [Fact]
    public async Task A_performance_is_what_was_said()
    {
        CgroupScope.Requires(CgroupController.Cpu);
        ResourceLimits limits = new() { UtilizationAtLeast = 12.5, UtilizationAtMost = 50 };
        if (await CgroupScope.HasFileAsync(CgroupController.Cpu, "cpu.uclamp.min"))
        {
            await using CgroupScope scope = CgroupScope.Create(limits, CgroupController.Cpu);
            Assert.Equal(("12.50", "50.00"), (scope.File(CgroupController.Cpu, "cpu.uclamp.min"), scope.File(CgroupController.Cpu, "cpu.uclamp.max")));
            return;
        }

        CgroupException exception = Assert.Throws<CgroupException>(() => Cgroup.Create(CgroupScope.NewName(), limits));
        Assert.Equal(CgroupErrorReason.NotSupported, exception.Reason);
        Assert.Contains("cpu.uclamp.m", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Time_is_counted_by_kind_and_on_v1_by_processor()
    {
        await using CgroupScope scope = CgroupScope.Create(ResourceLimits.None, CgroupController.CpuAccounting);

        using Process process = scope.Start(Busy);
        await CgroupScope.UntilAsync(() => scope.Group.ReadStats().Cpu.User > TimeSpan.FromMilliseconds(300));

        CgroupCpuStats cpu = scope.Group.ReadStats(CgroupStatsDetails.PerProcessor).Cpu;
        Assert.InRange(cpu.Usage!.Value, TimeSpan.FromMilliseconds(250), TimeSpan.FromMinutes(5));
        Assert.NotNull(cpu.System);
        if (CgroupScope.IsV2(CgroupController.CpuAccounting)) Assert.Null(cpu.PerProcessor);
        else Assert.True(cpu.PerProcessor!.Value[0] > TimeSpan.FromMilliseconds(250), $"{cpu.PerProcessor.Value[0]}");
    }

    [Fact]
    public async Task Memory_nodes_are_what_was_said()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { CpusetMems = "0" }, CgroupController.Cpuset);

        Assert.Equal("Mems_allowed_list:\t0\n", (await scope.RunAsync("grep Mems_allowed_list /proc/self/status")).Output);
    }

    [Fact]
    public async Task A_partition_is_had_beneath_another_and_refused_elsewhere()
    {
        CgroupScope.RequiresV2(CgroupController.Cpuset, "cpuset.cpus.partition");
        Assert.SkipWhen(Environment.ProcessorCount < 2, "a second processor, that the first stays with all others");
        ResourceLimits limits = new() { CpusetCpus = "1", CpusetPartition = CpusetPartition.Root };
        if (!Lane.IsRoot)
        {
            // The group that was delegated is no partition.
            CgroupScope.RequiresGroups();
            Assert.Equal(CgroupErrorReason.InvalidValue, Assert.Throws<CgroupException>(() => Cgroup.Create(CgroupScope.NewName(), limits)).Reason);
            return;
        }

        await using CgroupScope scope = CgroupScope.Create(limits, CgroupController.Cpuset);
        Assert.Equal("root", scope.File(CgroupController.Cpuset, "cpuset.cpus.partition"));
        scope.Group.Update(new() { CpusetPartition = CpusetPartition.Member });
        Assert.Equal("member", scope.File(CgroupController.Cpuset, "cpuset.cpus.partition"));
    }

    [Fact]
    public async Task On_v1_a_group_without_processors_takes_nobody_and_says_what_it_needs()
    {
        CgroupScope.Requires(CgroupController.Cpuset);
        Assert.SkipWhen(CgroupScope.IsV2(CgroupController.Cpuset), "a group without processors is of v1, and cpuset is of v2 here");
        await using CgroupScope scope = CgroupScope.Create(new() { CpusetCpus = "0" }, CgroupController.Cpuset);
        await File.WriteAllTextAsync(Path.Join(scope.Group.Directories.Single(), "cpuset.cpus"), "\n", Sandbox.Token);

        using Process process = Sandbox.StartOnHost("sleep", "1000");
        CgroupException exception = Assert.Throws<CgroupException>(() => scope.Group.Add(process.Id));
        process.Kill();

        Assert.Contains("ENOSPC", exception.Message, StringComparison.Ordinal);
        Assert.Contains("cpuset.cpus", exception.Remedy, StringComparison.Ordinal);
    }
}
