using System.Diagnostics;
using Isolation.Cgroups;

namespace Isolation.Live.Tests;

/// <summary>Limits of memory besides the plain one, and what tells that they were met.</summary>
[Trait("Lane", "VM")]
public sealed class CgroupMemoryTests
{
    // tail(1) keeps the one line that it is given.
    private const string Hog = "head -c 100000000 /dev/zero | tail -n 1 | wc -c";

    [Fact]
    public async Task Memory_and_swap_together_are_limited()
    {
        CgroupScope.Requires(CgroupController.Memory);
        bool v2 = CgroupScope.IsV2(CgroupController.Memory);
        Assert.SkipWhen(v2 && File.ReadAllLines("/proc/swaps").Length < 2, "this machine has no swap, without which v2 refuses none");
        Assert.SkipUnless(v2 || File.Exists(Path.Join(CgroupSystem.Current[CgroupController.Memory].MountPoint, "memory.memsw.limit_in_bytes")), "the kernel does not count swap (swapaccount=0): there is no memory.memsw.limit_in_bytes");
        await using CgroupScope scope = CgroupScope.Create(new() { Memory = 24 << 20, MemoryAndSwap = 40 << 20 }, CgroupController.Memory);

        Assert.DoesNotContain("100000000", (await scope.RunAsync(Hog)).Output, StringComparison.Ordinal); // who of the three is killed is the kernel's choice

        CgroupMemoryStats memory = scope.Group.ReadStats().Memory;
        Assert.InRange(memory.OomKills!.Value, 1, 10);
        Assert.Equal(v2 ? 16 << 20 : 40 << 20, v2 ? memory.SwapLimit : memory.MemorySwapLimit);
        if (v2)
        {
            // Reclaim looks at how much swap is left, and does not try where that comes out even: then the limit is met without being hit.
            while (memory is { SwapLimitHits: 0 } or { SwapFailures: 0 })
            {
                Sandbox.Token.ThrowIfCancellationRequested();
                await scope.RunAsync(Hog);
                memory = scope.Group.ReadStats().Memory;
            }
        }
        else
        {
            // Where there is swap both limits are met, and without it that of memory alone.
            Assert.InRange(memory.MemorySwapPeak!.Value, 20 << 20, 40 << 20);
            Assert.InRange(memory.LimitHits!.Value + memory.MemorySwapLimitHits!.Value, 1, long.MaxValue);

            // Of two limits that are the same the kernel meets that of both together first. (6.18 does not count how often.)
            scope.Group.Update(new() { Memory = 16 << 20, MemoryAndSwap = 16 << 20 });
            memory = scope.Group.ReadStats().Memory;
            Assert.DoesNotContain("100000000", (await scope.RunAsync(Hog)).Output, StringComparison.Ordinal);
            CgroupMemoryStats then = scope.Group.ReadStats().Memory;
            Assert.InRange(then.OomKills!.Value, memory.OomKills!.Value + 1, long.MaxValue);
            Assert.Equal(memory.LimitHits, then.LimitHits);
        }
    }

    [Fact]
    public async Task Who_is_above_the_high_mark_is_slowed_down_and_lives()
    {
        CgroupScope.RequiresV2(CgroupController.Memory, "memory.high");
        await using CgroupScope scope = CgroupScope.Create(new() { MemoryHigh = 16 << 20 }, CgroupController.Memory);

        using Process process = scope.Start(Hog + "; sleep 1000");
        await CgroupScope.UntilAsync(() => scope.Group.ReadStats().Memory.HighEvents > 0);

        CgroupMemoryStats memory = scope.Group.ReadStats().Memory;
        Assert.Equal(0, memory.OomKills);
        Assert.Equal((16 << 20).ToString(System.Globalization.CultureInfo.InvariantCulture), scope.File(CgroupController.Memory, "memory.high"));
        Assert.False(process.HasExited);
    }

    [Fact]
    public async Task What_is_kept_for_a_group_is_what_was_said()
    {
        CgroupScope.Requires(CgroupController.Memory);
        bool v2 = CgroupScope.IsV2(CgroupController.Memory);
        await using CgroupScope scope = CgroupScope.Create(new() { MemoryReservation = 16 << 20, MemoryGuarantee = v2 ? 8 << 20 : null }, CgroupController.Memory);

        Assert.Equal(16 << 20, scope.Number(CgroupController.Memory, v2 ? "memory.low" : "memory.soft_limit_in_bytes"));
        if (v2) Assert.Equal(8 << 20, scope.Number(CgroupController.Memory, "memory.min"));
    }

    [Fact]
    public async Task Where_all_are_to_be_killed_all_are()
    {
        CgroupScope.RequiresV2(CgroupController.Memory, "memory.oom.group");
        await using CgroupScope scope = CgroupScope.Create(new() { Memory = 24 << 20, MemoryAndSwap = 24 << 20, OomKillsAll = true }, CgroupController.Memory);
        using Process bystander = scope.Start("exec sleep 1000");

        (int exitCode, string output) = await scope.RunAsync(Hog + "; echo lived");
        await bystander.WaitForExitAsync(Sandbox.Token);

        Assert.Equal((128 + 9, ""), (exitCode, output));
        Assert.Equal(128 + 9, bystander.ExitCode);
        Assert.Equal(Environment.OSVersion.Version < new Version(5, 17) ? null : 1, scope.Group.ReadStats().Memory.OomGroupKills); // there since Linux 5.17
    }

    [Fact]
    public async Task Who_may_not_be_killed_waits_for_memory_and_goes_on_with_it()
    {
        CgroupScope.Requires(CgroupController.Memory);
        ResourceLimits limits = new() { Memory = 24 << 20, MemoryAndSwap = 24 << 20, OomKillDisabled = true };
        if (CgroupScope.IsV2(CgroupController.Memory))
        {
            CgroupException exception = Assert.Throws<CgroupException>(() => Cgroup.Create(CgroupScope.NewName(), limits));
            Assert.Equal(CgroupErrorReason.NotSupported, exception.Reason);
            Assert.Contains(nameof(ResourceLimits.OomKillDisabled), exception.Message, StringComparison.Ordinal);
            return;
        }

        await using CgroupScope scope = CgroupScope.Create(limits, CgroupController.Memory);
        // It is a page fault that waits; a system call that needs memory of the kernel's fails (a pipe's write with ENOMEM).
        using Process process = scope.Start("exec perl -e 'print length(\"x\" x 100_000_000)'");
        await CgroupScope.UntilAsync(() => scope.File(CgroupController.Memory, "memory.oom_control").Contains("under_oom 1", StringComparison.Ordinal));
        Assert.False(process.HasExited);
        Assert.Equal(0, scope.Group.ReadStats().Memory.OomKills);

        scope.Group.Update(new() { Memory = 512 << 20, MemoryAndSwap = 512 << 20 });

        Assert.Equal("100000000", await process.StandardOutput.ReadToEndAsync(Sandbox.Token));
    }

    [Fact]
    public async Task What_the_kernel_can_give_again_is_taken_back()
    {
        CgroupScope.Requires(CgroupController.Memory);
        await using CgroupScope scope = CgroupScope.Create(ResourceLimits.None, CgroupController.Memory);
        if (!File.Exists(Path.Join(scope.Directory(CgroupController.Memory), "memory.reclaim")))
        {
            CgroupException exception = await Assert.ThrowsAsync<CgroupException>(() => scope.Group.ReclaimMemoryAsync(1 << 20, Sandbox.Token));
            Assert.Equal(CgroupErrorReason.NotSupported, exception.Reason);
            Assert.Contains("Linux 5.19", exception.Message, StringComparison.Ordinal);
            return;
        }

        // In memory, or in the cache of a disk.
        using TemporaryDirectory directory = new();
        await scope.RunAsync($"head -c 32000000 /dev/zero > {directory["file"]}; sync {directory["file"]}; cat {directory["file"]} > /dev/null");
        long before = scope.Group.ReadStats().Memory.Usage!.Value;
        Assert.InRange(before, 30_000_000, 100_000_000);

        Assert.True(await scope.Group.ReclaimMemoryAsync(24 << 20, Sandbox.Token));

        Assert.InRange(scope.Group.ReadStats().Memory.Usage!.Value, 0, before - (20 << 20));
        Assert.False(await scope.Group.ReclaimMemoryAsync(1L << 30, Sandbox.Token));
    }

    [Fact]
    public async Task The_rest_is_what_was_said()
    {
        CgroupScope.Requires(CgroupController.Memory);
        bool v2 = CgroupScope.IsV2(CgroupController.Memory);
        ResourceLimits limits = v2 ? new() { ZswapBytes = 8 << 20 } : new() { MemorySwappiness = 7, KernelTcpMemory = 4 << 20 };
        if (v2 && !await CgroupScope.HasFileAsync(CgroupController.Memory, "memory.zswap.max"))
        {
            CgroupException exception = Assert.Throws<CgroupException>(() => Cgroup.Create(CgroupScope.NewName(), limits));
            Assert.Equal(CgroupErrorReason.NotSupported, exception.Reason);
            Assert.Contains("memory.zswap.max", exception.Message, StringComparison.Ordinal);
            return;
        }

        await using CgroupScope scope = CgroupScope.Create(limits, CgroupController.Memory);

        if (v2) Assert.Equal(8 << 20, scope.Number(CgroupController.Memory, "memory.zswap.max"));
        else Assert.Equal((7, 4 << 20), (scope.Number(CgroupController.Memory, "memory.swappiness"), scope.Number(CgroupController.Memory, "memory.kmem.tcp.limit_in_bytes")));
    }
}
