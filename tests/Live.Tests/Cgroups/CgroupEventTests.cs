using System.Diagnostics;
using Isolation.Cgroups;

namespace Isolation.Live.Tests;

/// <summary>What the kernel tells of a group, as it happens.</summary>
[Trait("Lane", "VM")]
public sealed class CgroupEventTests
{
    [Fact]
    public async Task Memory_that_ran_out_and_who_was_killed_for_it_are_told()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { Memory = 32 << 20, MemoryAndSwap = 32 << 20 }, CgroupController.Memory);
        using CgroupEventWatch watch = scope.Group.Watch([CgroupEventKind.OutOfMemory, CgroupEventKind.OutOfMemoryKill]);

        await scope.RunAsync("head -c 100000000 /dev/zero | tail -n 1 | wc -c");

        Assert.Equal([CgroupEventKind.OutOfMemory, CgroupEventKind.OutOfMemoryKill], (await ReadAsync(watch, 2)).Select(next => next.Kind));
    }

    [Fact]
    public async Task A_process_too_many_is_told_with_how_often()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { Pids = 1 }, CgroupController.Pids);
        using CgroupEventWatch watch = scope.Group.Watch([CgroupEventKind.PidsMax]);

        await scope.RunAsync("sleep 0");
        await scope.RunAsync("sleep 0");

        long count = 0;
        while (count < 2) count += (await ReadAsync(watch, 1)).Single().Count;
        Assert.Equal(2, count);
    }

    [Fact]
    public async Task Processes_come_and_go_freeze_and_thaw()
    {
        await using CgroupScope scope = V2();
        using CgroupEventWatch watch = scope.Group.Watch();
        using Process process = scope.Start("exec sleep 1000");
        Assert.Equal([CgroupEventKind.Populated], await KindsAsync(watch, 1));
        string freeze = Path.Join(scope.Group.Directories[0], "cgroup.freeze");

        File.WriteAllText(freeze, "1");
        Assert.Equal([CgroupEventKind.Frozen], await KindsAsync(watch, 1));
        File.WriteAllText(freeze, "0");
        Assert.Equal([CgroupEventKind.Thawed], await KindsAsync(watch, 1));
        process.Kill();
        Assert.Equal([CgroupEventKind.Empty], await KindsAsync(watch, 1));
    }

    [Fact]
    public async Task Pressure_is_told_when_it_is_as_great_as_was_said()
    {
        await using CgroupScope scope = V2();
        Assert.SkipUnless(File.Exists(Path.Join(scope.Group.Directories[0], "cpu.pressure")), "the kernel counts no pressure (CONFIG_PSI)");
        CgroupPressureTrigger trigger = new(CgroupPressureResource.Cpu, CgroupStall.Some, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(2));
        using CgroupEventWatch watch = scope.Group.Watch([], [trigger]);

        // More of them than processors: always one that waits.
        using Process process = scope.Start($"for i in $(seq {Environment.ProcessorCount * 3}); do (while :; do :; done) & done; wait");
        CgroupEvent told = (await ReadAsync(watch, 1)).Single();

        Assert.Equal((CgroupEventKind.Pressure, trigger), (told.Kind, told.Pressure));
        Assert.True(scope.Group.ReadStats().Pressure.Cpu.Some!.Value.Total >= TimeSpan.FromMilliseconds(100));
        await scope.Group.KillAsync(Sandbox.Token);
    }

    [Fact]
    public async Task It_ends_with_the_group_whoever_removed_that()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { Pids = 5 }, CgroupController.Pids);
        using CgroupEventWatch watch = scope.Group.Watch();
        ValueTask<bool> next = watch.GetAsyncEnumerator(Sandbox.Token).MoveNextAsync();

        Directory.Delete(scope.Group.Directories[0]);

        Assert.False(await next.AsTask().WaitAsync(TimeSpan.FromSeconds(30), Sandbox.Token));
    }

    [Fact]
    public async Task It_ends_when_it_is_disposed_and_a_reader_when_it_is_cancelled()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { Pids = 5 }, CgroupController.Pids);
        CgroupEventWatch watch = scope.Group.Watch();
        using CancellationTokenSource source = new();
        ValueTask<bool> cancelled = watch.GetAsyncEnumerator(source.Token).MoveNextAsync();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await cancelled);

        ValueTask<bool> next = watch.GetAsyncEnumerator(Sandbox.Token).MoveNextAsync();
        watch.Dispose();

        Assert.False(await next);
    }

    [Fact]
    public async Task What_the_group_cannot_tell_is_an_error()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { Pids = 5 }, CgroupController.Pids);

        CgroupException exception = Assert.Throws<CgroupException>(() => scope.Group.Watch([CgroupEventKind.PidsMax, CgroupEventKind.MemoryHigh, CgroupEventKind.Pressure]));

        Assert.Equal(CgroupErrorReason.NotSupported, exception.Reason);
        Assert.Contains("cannot tell of MemoryHigh, Pressure", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_happened_until_its_end_is_told_of_a_container_too()
    {
        CgroupScope.RequiresGroups();
        await using Container container = await Sandbox.HostShell("read go; exec tail -n 1 /dev/zero").WithMemoryLimit(32 << 20).WithMemorySwapLimit(32 << 20).WithInput(InputSource.Pipe).BeginAsync();
        using CgroupEventWatch watch = container.WatchLimits([CgroupEventKind.OutOfMemoryKill]);
        Assert.True(container.ReadStats().Memory.Limit == 32 << 20);
        IAsyncEnumerator<CgroupStats> samples = container.SampleStatsAsync(TimeSpan.FromMilliseconds(5), cancellationToken: Sandbox.Token).GetAsyncEnumerator(Sandbox.Token);
        Assert.True(await samples.MoveNextAsync());

        await container.StandardInput.SendAsync("go\n");
        await container.EndAsync();

        List<CgroupEvent> events = await watch.ToListAsync(Sandbox.Token);
        Assert.Equal((CgroupEventKind.OutOfMemoryKill, 1), (Assert.Single(events).Kind, (int)events[0].Count));
        while (await samples.MoveNextAsync()) Assert.NotNull(samples.Current);
        Assert.Equal(ContainerState.Ended, Assert.Throws<ContainerStateException>(() => container.ReadStats()).State);
        Assert.Throws<ContainerStateException>(() => container.WatchLimits());
    }

    [Fact]
    public async Task Many_watches_leave_nothing()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { Pids = 5, Memory = 32 << 20 }, CgroupController.Pids, CgroupController.Memory);
        scope.Group.Watch().Dispose();
        int before = Open();

        for (int i = 0; i < 50; i++) scope.Group.Watch().Dispose();

        Assert.Equal(before, Open());

        int Open() => Directory.GetFiles("/proc/self/fd").Count(file => new FileInfo(file).LinkTarget?.Contains(scope.Group.Name, StringComparison.Ordinal) == true);
    }

    /// <summary>Each group of v2 has states and pressure, also where its hierarchy is mounted beside those of v1.</summary>
    private static CgroupScope V2() => CgroupScope.Create(ResourceLimits.None, CgroupController.Pressure);

    private static async Task<IEnumerable<CgroupEventKind>> KindsAsync(CgroupEventWatch watch, int count) => (await ReadAsync(watch, count)).Select(next => next.Kind);

    private static async Task<List<CgroupEvent>> ReadAsync(CgroupEventWatch watch, int count)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(Sandbox.Token);
        patience.CancelAfter(TimeSpan.FromMinutes(1));
        List<CgroupEvent> events = [];
        await foreach (CgroupEvent next in watch.WithCancellation(patience.Token))
        {
            events.Add(next);
            if (events.Count == count) break;
        }

        return events;
    }
}
