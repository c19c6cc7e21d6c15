using System.Diagnostics;
using Isolation.Cgroups;

namespace Isolation.Live.Tests;

/// <summary>Limits that are changed where one stands in another's way, and what is left where the kernel refuses one.</summary>
[Trait("Lane", "VM")]
public sealed class CgroupUpdateTests
{
    private static bool Cpu2 => CgroupScope.IsV2(CgroupController.Cpu);

    [Fact]
    public async Task A_quota_below_the_burst_of_before_is_taken_with_a_smaller_burst()
    {
        CgroupScope.Requires(CgroupController.Cpu);
        Assert.SkipUnless(await CgroupScope.HasFileAsync(CgroupController.Cpu, Cpu2 ? "cpu.max.burst" : "cpu.cfs_burst_us"), "bursts are there since Linux 5.14");
        await using CgroupScope scope = CgroupScope.Create(new() { Cpus = 0.75, CpuBurst = TimeSpan.FromMilliseconds(50) }, CgroupController.Cpu);

        scope.Group.Update(new() { Cpus = 0.25, CpuBurst = TimeSpan.FromMilliseconds(10) });
        Assert.Equal((Cpu2 ? "25000 100000" : "25000", 10_000), (Quota(scope), Burst(scope)));

        scope.Group.Update(new() { Cpus = 0.75, CpuBurst = TimeSpan.FromMilliseconds(60) });
        Assert.Equal((Cpu2 ? "75000 100000" : "75000", 60_000), (Quota(scope), Burst(scope)));
    }

    [Fact]
    public async Task One_that_is_idle_no_longer_gets_its_shares()
    {
        CgroupScope.Requires(CgroupController.Cpu);
        Assert.SkipUnless(await CgroupScope.HasFileAsync(CgroupController.Cpu, "cpu.idle"), "cpu.idle is there since Linux 5.15");
        await using CgroupScope scope = CgroupScope.Create(new() { CpuIdle = true }, CgroupController.Cpu);

        scope.Group.Update(new() { CpuIdle = false, CpuWeight = 200 });

        Assert.Equal((0, Cpu2 ? 200 : 2451), (scope.Number(CgroupController.Cpu, "cpu.idle"), scope.Number(CgroupController.Cpu, Cpu2 ? "cpu.weight" : "cpu.shares")));
    }

    [Fact]
    public async Task Processors_alone_are_changed_within_the_period_in_force()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { Cpus = 0.5, CpuPeriod = TimeSpan.FromMilliseconds(50) }, CgroupController.Cpu);

        scope.Group.Update(new() { Cpus = 1 });

        Assert.Equal(Cpu2 ? "50000 50000" : "50000", Quota(scope));
        if (!Cpu2) Assert.Equal(50_000, scope.Number(CgroupController.Cpu, "cpu.cfs_period_us"));
    }

    [Fact]
    public async Task A_limit_below_what_is_used_is_an_error_and_kills_nobody()
    {
        CgroupScope.Requires(CgroupController.Memory);
        bool v2 = CgroupScope.IsV2(CgroupController.Memory);
        ResourceLimits limits = new() { Memory = 256 << 20, MemoryAndSwap = v2 ? 256 << 20 : null }; // with nowhere to swap to
        await using CgroupScope scope = CgroupScope.Create(limits, CgroupController.Memory);
        using Process process = scope.Start("exec perl -e '$| = 1; $x = \"x\" x 60_000_000; print \"held\\n\"; sleep 1000'");
        Assert.Equal("held", await process.StandardOutput.ReadLineAsync(Sandbox.Token));

        CgroupException exception = Assert.Throws<CgroupException>(() => scope.Group.Update(new() { Memory = 16 << 20 }));

        Assert.Equal(CgroupErrorReason.InvalidValue, exception.Reason);
        Assert.Contains("choose a higher limit", exception.Message, StringComparison.Ordinal);
        Assert.False(process.HasExited);
        Assert.Equal(0, scope.Group.ReadStats().Memory.OomKills);
        Assert.Equal(256 << 20, scope.Number(CgroupController.Memory, v2 ? "memory.max" : "memory.limit_in_bytes"));
        if (v2) Assert.Equal("max", scope.File(CgroupController.Memory, "memory.high"));

        scope.Group.Update(new() { Memory = 128 << 20 });
        Assert.False(process.HasExited);
    }

    [Fact]
    public async Task Memory_above_memory_and_swap_together_says_what_is_missing()
    {
        CgroupScope.Requires(CgroupController.Memory);
        Assert.SkipWhen(CgroupScope.IsV2(CgroupController.Memory), "v2 limits each alone");
        await using CgroupScope scope = CgroupScope.Create(new() { Memory = 64 << 20, MemoryAndSwap = 64 << 20 }, CgroupController.Memory);

        CgroupException exception = Assert.Throws<CgroupException>(() => scope.Group.Update(new() { Memory = 128 << 20 }));

        Assert.Equal(CgroupErrorReason.InvalidValue, exception.Reason);
        Assert.Contains(nameof(ResourceLimits.MemoryAndSwap), exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_parent_has_the_processors_of_the_group_above()
    {
        CgroupScope.Requires(CgroupController.Cpuset);
        string parent = CgroupScope.NewName(), directory;
        await using (Cgroup group = Cgroup.Create("inner", new() { CpusetCpus = "0" }, new CgroupOptions { Parent = parent + "/between" }))
        {
            directory = group.Directories[0];
            using Process process = Process.Start(new ProcessStartInfo("sleep", ["1000"]))!;
            group.Add(process.Id);
            Assert.Equal("0", File.ReadAllText(Path.Join(directory, "cpuset.cpus")).Trim());
            Assert.Contains($"{process.Id}", File.ReadAllLines(Path.Join(directory, "cgroup.procs")));
        }

        directory = Path.GetDirectoryName(directory)!;
        Directory.Delete(directory); // the parents that were made are the caller's
        Directory.Delete(Path.GetDirectoryName(directory)!);
    }

    [Fact]
    public async Task Processors_that_are_only_preferred_and_not_there_leave_it_those_of_the_parent()
    {
        CgroupScope.Requires(CgroupController.Cpuset);
        await using Cgroup group = Cgroup.Create(CgroupScope.NewName(), ResourceLimits.None, new CgroupOptions { Controllers = [CgroupController.Cpuset], Preferred = new() { CpusetCpus = "4000" } });
        using Process process = Process.Start(new ProcessStartInfo("sleep", ["1000"]))!;

        group.Add(process.Id);

        Assert.Contains("4000", Assert.Single(group.Unapplied).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_not_set_is_not_set_again()
    {
        CgroupScope.RequiresV2(CgroupController.Cpuset, "a set that is not set");
        await using CgroupScope scope = CgroupScope.Create(ResourceLimits.None, CgroupController.Cpuset, CgroupController.Memory);

        Assert.Throws<CgroupException>(() => scope.Group.Update(new() { CpusetCpus = "0", Unified = System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty.Add("memory.high", "none of it") }));

        Assert.Equal("", scope.File(CgroupController.Cpuset, "cpuset.cpus"));
    }

    [Fact]
    public async Task Devices_that_the_parent_has_not_are_refused_and_the_rules_stay_as_they_were()
    {
        CgroupScope.Requires(CgroupController.Devices);
        Assert.SkipWhen(CgroupScope.IsV2(CgroupController.Devices), "on v2 each group has a program, and that of the parent is asked as well");
        DeviceRule random = Allow(8), full = Allow(7), zero = Allow(5);
        string parent = CgroupScope.NewName();
        await using Cgroup outer = Cgroup.Create(parent, new() { Devices = [random, full] });
        await using Cgroup inner = Cgroup.Create("inner", new() { Devices = [random] }, new CgroupOptions { Parent = parent });
        string list = Path.Join(inner.Directories[0], "devices.list"), before = File.ReadAllText(list);

        CgroupException exception = Assert.Throws<CgroupException>(() => inner.Update(new() { Devices = [random, full, zero] }));

        Assert.Equal(CgroupErrorReason.NotPermitted, exception.Reason);
        Assert.Equal(before, File.ReadAllText(list));
        inner.Update(new() { Devices = [full] });
        Assert.Equal("c 1:7 rwm\n", File.ReadAllText(list));
    }

    private static string Quota(CgroupScope scope) => scope.File(CgroupController.Cpu, Cpu2 ? "cpu.max" : "cpu.cfs_quota_us");

    private static long Burst(CgroupScope scope) => scope.Number(CgroupController.Cpu, Cpu2 ? "cpu.max.burst" : "cpu.cfs_burst_us");

    /// <summary>Of the memory devices (mem(4), random(4)).</summary>
    private static DeviceRule Allow(int minor) => DeviceRule.Allow(DeviceType.Char, 1, minor);
}
