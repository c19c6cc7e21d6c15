using System.Diagnostics;
using Isolation.Cgroups;

namespace Isolation.Live.Tests;

/// <summary>A group from its making to its removal.</summary>
[Trait("Lane", "VM")]
public sealed class CgroupLifeTests
{
    private static readonly CgroupController[] All = [CgroupController.Memory, CgroupController.Cpu, CgroupController.Pids, CgroupController.Freezer];

    [Fact]
    public async Task A_fork_bomb_is_killed_whole()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { Pids = 100 }, CgroupController.Pids, CgroupController.Freezer);

        // A shell gives up where it cannot fork; these go on trying for as long as they live.
        using Process process = scope.Start("exec perl -e 'while (1) { fork; select undef, undef, undef, 0.01 }'");
        await CgroupScope.UntilAsync(() => scope.Number(CgroupController.Pids, "pids.current") == 100);

        await scope.Group.KillAsync(Sandbox.Token);

        Assert.Equal("100", scope.File(CgroupController.Pids, "pids.max")); // what held them is taken back
        Assert.Empty(scope.File(CgroupController.Pids, "cgroup.procs")); // and not pids.current, which counts what nobody has reaped
    }

    [Fact]
    public async Task Many_that_have_hardly_a_processor_die_at_once()
    {
        ResourceLimits limits = new() { Cpus = 1, CpuPeriod = TimeSpan.FromMilliseconds(1000) };
        await using CgroupScope scope = CgroupScope.Create(limits, CgroupController.Cpu);
        using Process process = scope.Start("exec perl -e 'for (1..300) { unless (fork) { sleep 1000; exit } } $| = 1; print qq(made\\n); sleep 1000'");
        Assert.Equal("made", await process.StandardOutput.ReadLineAsync(Sandbox.Token));
        Assert.Equal(301, File.ReadAllLines(Path.Join(scope.Directory(CgroupController.Cpu), "cgroup.procs")).Length);
        scope.Group.Update(limits with { Cpus = 0.001 });
        string file = CgroupScope.IsV2(CgroupController.Cpu) ? "cpu.max" : "cpu.cfs_quota_us", quota = scope.File(CgroupController.Cpu, file);

        await scope.Group.KillAsync(Sandbox.Token);

        Assert.Equal(quota, scope.File(CgroupController.Cpu, file)); // what made it quick is taken back
        Assert.Empty(scope.File(CgroupController.Cpu, "cgroup.procs"));
    }

    [Fact]
    public async Task One_that_takes_long_to_die_is_waited_for()
    {
        CgroupScope.Requires(CgroupController.Cpu);
        await using CgroupScope scope = new(Cgroup.Create("inner", ResourceLimits.None, new CgroupOptions { Parent = CgroupScope.NewName(), Controllers = [CgroupController.Cpu] }));
        using Process process = scope.Start("exec perl -e '$_ = q(x) x (160 << 20); $| = 1; print qq(made\n); sleep 1000'");
        Assert.Equal("made", await process.StandardOutput.ReadLineAsync(Sandbox.Token));

        // Before Linux 6.18, who has used up what the group above may have does not run in the kernel either: to give its memory back takes it long.
        string above = Path.GetDirectoryName(scope.Directory(CgroupController.Cpu))!;
        if (CgroupScope.IsV2(CgroupController.Cpu)) File.WriteAllText(Path.Join(above, "cpu.max"), "1000 1000000");
        else foreach ((string file, string value) in new[] { ("cpu.cfs_period_us", "1000000"), ("cpu.cfs_quota_us", "1000") }) File.WriteAllText(Path.Join(above, file), value);
        await scope.Group.KillAsync(Sandbox.Token);

        await process.WaitForExitAsync(Sandbox.Token);
        Assert.Equal(137, process.ExitCode);
        await scope.Group.DisposeAsync();
        Directory.Delete(above);
    }

    [Fact]
    public async Task Further_programs_enter_the_group_of_the_first_where_the_container_has_divided_its_own()
    {
        Lane.RequiresRoot("to divide the container's group");
        CgroupScope.RequiresV2(CgroupController.Memory, "that a group that is divided takes no processes");
        const string Divide = "mount -t cgroup2 none /mnt && mkdir /mnt/first && echo 1 > /mnt/first/cgroup.procs && echo +memory > /mnt/cgroup.subtree_control && echo divided && exec sleep 1000";
        await using Container container = await Sandbox.HostShell(Divide).WithPrivileged().WithMemoryLimit(256 << 20).WithOutput(OutputTarget.Pipe).BeginAsync();
        using StreamReader output = new(container.StandardOutput);
        Assert.Equal("divided", await output.ReadLineAsync(Sandbox.Token));

        ContainerResult result = await container.NewProcess().WithCommand("cat", "/proc/self/cgroup").RunAsync(Sandbox.Token);

        Assert.Equal("0::/first\n", result.StandardOutput);
    }

    [Fact]
    public async Task Frozen_nothing_moves_and_thawed_it_goes_on_and_frozen_it_can_be_killed()
    {
        await using CgroupScope scope = CgroupScope.Create(ResourceLimits.None, CgroupController.Freezer);
        using TemporaryDirectory directory = new();
        using Process process = scope.Start($"i=0; while :; do i=$((i+1)); echo $i > {directory["count"]}; done");
        await CgroupScope.UntilAsync(() => File.Exists(directory["count"]));

        await scope.Group.FreezeAsync(TimeSpan.FromSeconds(10), Sandbox.Token);
        string before = File.ReadAllText(directory["count"]);
        await Task.Delay(100, Sandbox.Token);
        Assert.Equal(before, File.ReadAllText(directory["count"]));

        scope.Group.Thaw();
        await CgroupScope.UntilAsync(() => File.ReadAllText(directory["count"]) != before);

        await scope.Group.FreezeAsync(TimeSpan.FromSeconds(10), Sandbox.Token);
        await scope.Group.KillAsync(Sandbox.Token);
        await process.WaitForExitAsync(Sandbox.Token);
    }

    [Fact]
    public async Task Limits_change_while_it_runs_in_an_order_that_works()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { Memory = 64 << 20, MemoryAndSwap = 64 << 20, Cpus = 1, Pids = 100 }, All);

        scope.Group.Update(new() { Memory = 256 << 20, MemoryAndSwap = 256 << 20, Cpus = 0.5, CpuPeriod = TimeSpan.FromMilliseconds(50), Pids = 7 }); // up
        Assert.Equal("7", scope.File(CgroupController.Pids, "pids.max"));
        Assert.Equal(256 << 20, scope.Number(CgroupController.Memory, CgroupScope.IsV2(CgroupController.Memory) ? "memory.max" : "memory.limit_in_bytes"));

        scope.Group.Update(new() { Memory = 32 << 20, MemoryAndSwap = 48 << 20 }); // down
        Assert.Equal(32 << 20, scope.Number(CgroupController.Memory, CgroupScope.IsV2(CgroupController.Memory) ? "memory.max" : "memory.limit_in_bytes"));

        scope.Group.Update(new() { Memory = ResourceLimits.Unlimited, MemoryAndSwap = ResourceLimits.Unlimited, Cpus = ResourceLimits.Unlimited, Pids = ResourceLimits.Unlimited });
        Assert.Equal("max", scope.File(CgroupController.Pids, "pids.max"));
    }

    [Fact]
    public async Task An_update_that_fails_changes_nothing()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { Memory = 64 << 20, CpuShares = 512, Pids = 100, CpusetCpus = "0" }, [.. All, CgroupController.Cpuset]);
        string[] before = Values(scope);

        // The order of the controllers: what is written before the set of processors fails has to be taken back.
        CgroupException exception = Assert.Throws<CgroupException>(() => scope.Group.Update(new() { CpuShares = 2048, CpusetCpus = "4000", Memory = 128 << 20, Pids = 7 }));

        Assert.Equal(CgroupErrorReason.InvalidValue, exception.Reason);
        Assert.Contains("4000", exception.Message, StringComparison.Ordinal);
        Assert.Equal(before, Values(scope));
    }

    [Fact]
    public void What_cannot_be_made_leaves_nothing()
    {
        CgroupScope.Requires(CgroupController.Cpuset);
        string name = CgroupScope.NewName();

        CgroupException exception = Assert.Throws<CgroupException>(() => Cgroup.Create(name, new() { Pids = 7, Memory = 64 << 20, CpusetCpus = "4000" }));

        Assert.Equal(CgroupErrorReason.InvalidValue, exception.Reason);
        Assert.All(ControllerName.All.Select(CgroupSystem.Current.PlaceOf).OfType<CgroupPlace>(), place => Assert.False(Directory.Exists(Path.Join(place.OwnDirectory, name)), place.OwnDirectory));
    }

    [Fact]
    public void Nobody_else_may_and_is_told_what_helps()
    {
        CgroupScope.RequiresNoGroups();
        CgroupException exception = Assert.Throws<CgroupException>(() => Cgroup.Create(CgroupScope.NewName(), new() { Pids = 7 }));

        Assert.Equal(CgroupErrorReason.NotPermitted, exception.Reason);
        Assert.Contains("Delegate", exception.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_process_made_beneath_goes_too()
    {
        await using CgroupScope scope = CgroupScope.Create(ResourceLimits.None, CgroupController.Pids);
        string directory = scope.Group.Directories.Single();
        Directory.CreateDirectory(Path.Join(directory, "a", "b"));
        Directory.CreateDirectory(Path.Join(directory, "c"));

        using Process process = scope.Start("sleep 1000");
        await File.WriteAllTextAsync(Path.Join(directory, "a", "b", "cgroup.procs"), process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture), Sandbox.Token);
    }

    [Fact]
    public async Task A_parent_that_somebody_removed_meanwhile_is_made_again()
    {
        CgroupScope.RequiresGroups();
        CgroupOptions options = new() { Parent = CgroupScope.NewName() };
        string[] parents = [];
        for (int round = 0; round < 3; round++)
        {
            await using (Cgroup group = Cgroup.Create(CgroupScope.NewName(), new() { Pids = 7, Memory = 64 << 20 }, options))
                parents = [.. group.Directories.Select(directory => Path.GetDirectoryName(directory)!)];
            foreach (string parent in parents) Directory.Delete(parent);
        }

        Assert.NotEmpty(parents);
    }

    private static string[] Values(CgroupScope scope) =>
    [
        scope.File(CgroupController.Memory, CgroupScope.IsV2(CgroupController.Memory) ? "memory.max" : "memory.limit_in_bytes"),
        scope.File(CgroupController.Cpu, CgroupScope.IsV2(CgroupController.Cpu) ? "cpu.weight" : "cpu.shares"),
        scope.File(CgroupController.Pids, "pids.max"),
        scope.File(CgroupController.Cpuset, "cpuset.cpus"),
    ];
}
