using System.Diagnostics;
using Isolation.Cgroups;

namespace Isolation.Live.Tests;

/// <summary>Who gets how much of what two want. Alone: what other tests take is missing in the shares.</summary>
[Trait("Lane", "VM"), Collection(nameof(Alone))]
public sealed class CgroupShareTests
{
    [Fact]
    public async Task Who_is_idle_gets_what_nobody_else_wants()
    {
        CgroupScope.Requires(CgroupController.Cpu);
        if (!await CgroupScope.HasFileAsync(CgroupController.Cpu, "cpu.idle"))
        {
            CgroupException exception = Assert.Throws<CgroupException>(() => Cgroup.Create(CgroupScope.NewName(), new() { CpuIdle = true }));
            Assert.Equal(CgroupErrorReason.NotSupported, exception.Reason);
            Assert.Contains("cpu.idle", exception.Message, StringComparison.Ordinal);
            return;
        }

        await using CgroupScope busy = CgroupScope.Create(ResourceLimits.None, CgroupController.Cpu, CgroupController.CpuAccounting);
        await using CgroupScope idle = CgroupScope.Create(new() { CpuIdle = true }, CgroupController.Cpu, CgroupController.CpuAccounting);
        using Process first = busy.Start(CgroupCpuTests.Busy), second = idle.Start(CgroupCpuTests.Busy);

        await CgroupScope.SharesAsync(10, () => busy.Group.ReadStats().Cpu.Usage!.Value.TotalMilliseconds, () => idle.Group.ReadStats().Cpu.Usage!.Value.TotalMilliseconds); // thirty times as much by weight, on a quiet machine
    }

    [Fact]
    public async Task Two_that_want_one_device_share_it_by_their_weights()
    {
        CgroupScope.Requires(CgroupController.Io);
        if (!CgroupScope.IsV2(CgroupController.Io))
        {
            if (await CgroupScope.HasFileAsync(CgroupController.Io, "blkio.bfq.weight"))
            {
                await using CgroupScope scope = CgroupScope.Create(new() { IoWeight = 10_000 }, CgroupController.Io);
                Assert.Equal("1000", scope.File(CgroupController.Io, "blkio.bfq.weight"));
                return;
            }

            CgroupException exception = Assert.Throws<CgroupException>(() => Cgroup.Create(CgroupScope.NewName(), new() { IoWeight = 50 }));
            Assert.Equal(CgroupErrorReason.NotSupported, exception.Reason);
            Assert.Contains("bfq", exception.Message, StringComparison.Ordinal);
            return;
        }

        Assert.SkipWhen(Environment.GetEnvironmentVariable("ISOLATION_TEST_KERNEL") is null, "the virtual machine only: the schedulers of this machine's disks are its own");
        Lane.RequiresRoot("to choose the scheduler of the device");
        const string Device = "/dev/vda", Queue = "/sys/block/vda/queue", Scheduler = $"{Queue}/scheduler"; // one that takes its time: with one that answers at once, they share the processors
        (int loaded, _, string error) = await Sandbox.OnHostAsync("busybox", "modprobe", "bfq");
        Assert.True(loaded == 0, error);
        string number = File.ReadAllText("/sys/block/vda/dev").Trim(), before = File.ReadAllText(Scheduler).Split('[', ']')[1];
        File.WriteAllText(Scheduler, "bfq");
        File.WriteAllText($"{Queue}/iosched/low_latency", "0"); // it puts programs that have just begun before all others, whatever they weigh
        File.WriteAllText($"{Queue}/iosched/strict_guarantees", "1"); // or it leaves the order to a device that is fast
        try
        {
            await using CgroupScope heavy = CgroupScope.Create(new() { IoWeight = 10_000 }, CgroupController.Io), light = CgroupScope.Create(new() { IoWeight = 100 }, CgroupController.Io);
            Assert.Equal(("default 1000", "default 10000"), (heavy.File(CgroupController.Io, "io.bfq.weight"), heavy.File(CgroupController.Io, "io.weight")));
            const string Write = $"while :; do dd if=/dev/zero of={Device} bs=64k oflag=direct; done"; // to its end, and again
            using Process first = heavy.Start(Write), second = light.Start(Write);

            await CgroupScope.SharesAsync(4, () => Written(heavy, number), () => Written(light, number)); // ten times by bfq's weights, less what it costs
            Assert.True(Written(light, number) > 0);
        }
        finally
        {
            File.WriteAllText(Scheduler, before);
        }
    }

    // A group that has done nothing yet on a device has no figures of it.
    private static long Written(CgroupScope scope, string device) =>
        CgroupIoTests.Entries(scope, device).Sum(entry => entry.WrittenBytes ?? 0);
}
