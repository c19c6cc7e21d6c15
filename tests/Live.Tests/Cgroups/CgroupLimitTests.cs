using System.Diagnostics;
using Isolation.Cgroups;

namespace Isolation.Live.Tests;

/// <summary>Each limit bites, on v1 and on v2.</summary>
[Trait("Lane", "VM")]
public sealed class CgroupLimitTests
{
    [Fact]
    public async Task Who_needs_more_memory_than_the_limit_is_killed()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { Memory = 32 << 20, MemoryAndSwap = 32 << 20 }, CgroupController.Memory);

        // tail(1) keeps the one line that it is given.
        (_, string output) = await scope.RunAsync("head -c 100000000 /dev/zero | tail -n 1 | wc -c");

        // Who of them is killed is the kernel's choice, and while one dies it may choose a second.
        Assert.DoesNotContain("100000000", output, StringComparison.Ordinal);
        string events = scope.File(CgroupController.Memory, CgroupScope.IsV2(CgroupController.Memory) ? "memory.events" : "memory.oom_control");
        Assert.Matches("(?m)^oom_kill [1-4]$", events);
    }

    [Fact]
    public async Task Who_burns_processor_time_gets_its_quota()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { Cpus = 0.2 }, CgroupController.Cpu, CgroupController.CpuAccounting);
        Stopwatch watch = Stopwatch.StartNew();

        using Process process = scope.Start("while :; do :; done");
        double used;
        do
        {
            await Task.Delay(2000, Sandbox.Token);
            used = scope.Group.ReadStats().Cpu.Usage!.Value.TotalSeconds / watch.Elapsed.TotalSeconds;
        }
        while (used > 0.26 && watch.Elapsed < TimeSpan.FromSeconds(10)); // a virtual machine that stood still meanwhile counts that in one piece, and makes up for it
        process.Kill();

        // A busy machine gives less, and never more.
        Assert.InRange(used, 0.01, 0.26);
        CgroupCpuStats stats = scope.Group.ReadStats().Cpu;
        Assert.InRange(stats.ThrottledPeriods!.Value, 1, stats.Periods!.Value);
        Assert.InRange(stats.ThrottledTime!.Value, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task Who_makes_more_processes_than_allowed_cannot()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { Pids = 5 }, CgroupController.Pids);

        using Process process = scope.Start("for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1000 > /dev/null & done; echo made; wait");
        string output = await process.StandardOutput.ReadToEndAsync(Sandbox.Token);

        Assert.DoesNotContain("made", output, StringComparison.Ordinal); // the shell gives up where it cannot fork
        await process.WaitForExitAsync(Sandbox.Token);
        CgroupPidsStats pids = scope.Group.ReadStats().Pids;
        Assert.Equal((4, 5), (pids.Current, pids.Limit));
        Assert.InRange(pids.LimitHits!.Value, 1, 100);
        Assert.True(pids.Peak is null or 5, $"{pids.Peak}"); // pids.peak is there since Linux 6.1
    }

    [Fact]
    public async Task Which_processors_is_what_was_said()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { CpusetCpus = "0" }, CgroupController.Cpuset);

        (_, string output) = await scope.RunAsync("grep Cpus_allowed_list /proc/self/status");

        Assert.Equal("Cpus_allowed_list:\t0\n", output);
    }

    [Fact]
    public async Task A_device_that_is_denied_cannot_be_opened_and_one_that_is_allowed_can()
    {
        Lane.RequiresRoot("programs for device files take CAP_BPF and CAP_NET_ADMIN");
        await using CgroupScope scope = CgroupScope.Create(new() { Devices = [DeviceRule.Allow("c 1:3 rwm"), DeviceRule.Allow("c 5:* rwm")] }, CgroupController.Devices);

        Assert.Equal("null\ndenied\n", (await scope.RunAsync(Script)).Output);

        scope.Group.Update(new() { Devices = [DeviceRule.Allow("c 1:3 rwm"), DeviceRule.Allow("c 1:5 r")] });
        Assert.Equal("zero\n", (await scope.RunAsync("(: < /dev/zero) && echo zero; (: > /dev/zero) && echo written")).Output);
    }

    private const string Script = "(: < /dev/null) && echo null; (: < /dev/zero) && echo zero || echo denied";
}
