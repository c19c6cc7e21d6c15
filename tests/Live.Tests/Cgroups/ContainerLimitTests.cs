using Isolation.Cgroups;

namespace Isolation.Live.Tests;

/// <summary>Containers with limits.</summary>
[Trait("Lane", "VM")]
public sealed class ContainerLimitTests
{
    [Fact]
    public async Task Memory_processors_and_processes_are_limited_and_nothing_stays()
    {
        CgroupScope.RequiresGroups();
        IReadOnlyList<string> directories;
        await using (Container container = await Sandbox.HostShell("echo ready; exec sleep 1000").WithMemoryLimit(64 << 20).WithCpuLimit(0.5).WithPidsLimit(20).WithOutput(OutputTarget.Pipe).BeginAsync())
        {
            await container.StandardOutput.ReadUntilAsync("ready");
            directories = container.Launch.Group!.Group.Directories;
            Assert.NotEmpty(directories);
            Assert.All(directories, directory => Assert.Equal([container.ProcessId], File.ReadAllLines(Path.Join(directory, "cgroup.procs")).Select(int.Parse)));

            // A further program is limited with the rest.
            await using ContainerProcess further = await container.NewProcess().WithCommand("sleep", "1000").StartAsync(Sandbox.Token);
            Assert.All(directories, directory => Assert.Contains(further.ProcessId, File.ReadAllLines(Path.Join(directory, "cgroup.procs")).Select(int.Parse)));

            await container.UpdateLimitsAsync(new() { Pids = 1 }, Sandbox.Token);
            await Assert.ThrowsAsync<ContainerException>(() => container.ExecAsync(["true"], Sandbox.Token));
        }

        Assert.All(directories, directory => Assert.False(Directory.Exists(directory), directory));
    }

    [Fact]
    public async Task Who_ran_out_of_memory_is_told_from_who_was_killed()
    {
        CgroupScope.RequiresGroups();
        ContainerBuilder builder = Sandbox.HostShell("exec tail -n 1 /dev/zero").WithMemoryLimit(32 << 20).WithMemorySwapLimit(32 << 20).WithCgroupControllers(CgroupController.CpuAccounting);

        ContainerResult result = await builder.RunAsync(Sandbox.Token);

        Assert.Equal(ContainerOutcome.OutOfMemory, result.Outcome);
        Assert.Equal(1, result.Resources!.Memory.OomKills);
        if (result.Resources.Memory.Peak is { } peak) Assert.InRange(peak, 16 << 20, 32 << 20);
        else Assert.True(CgroupScope.IsV2(CgroupController.Memory) && Environment.OSVersion.Version < new Version(5, 19), "memory.peak is there since Linux 5.19");
        Assert.InRange(result.Resources.Cpu.Usage!.Value, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1));

        await using Container container = await Sandbox.HostShell("exec sleep 1000").WithMemoryLimit(32 << 20).BeginAsync();
        await container.KillAsync(Sandbox.Token);
        Assert.Equal(ContainerOutcome.Killed, (await container.WaitAsync(Sandbox.Token)).Outcome);
    }

    [Fact]
    public async Task A_further_program_that_ran_out_of_memory_says_so_and_the_container_lives()
    {
        CgroupScope.RequiresGroups();
        await using Container container = await Sandbox.HostShell("exec sleep 1000").WithMemoryLimit(32 << 20).WithMemorySwapLimit(32 << 20).BeginAsync();

        Assert.Equal(ContainerOutcome.OutOfMemory, (await container.ExecAsync(["tail", "-n", "1", "/dev/zero"], Sandbox.Token)).Outcome);
        Assert.Equal(ContainerOutcome.Signalled, (await container.ExecAsync(["sh", "-c", "kill -9 $$"], Sandbox.Token)).Outcome);
        Assert.Equal(ContainerState.Running, container.State);
    }

    [Fact]
    public async Task What_is_asked_of_one_that_ends_meanwhile_says_that_it_has_ended()
    {
        CgroupScope.RequiresGroups();
        for (int round = 0; round < 20; round++)
        {
            await using Container container = await Sandbox.HostShell("exec sleep 1000").WithPidsLimit(100).BeginAsync();
            CancellationToken token = Sandbox.Token;
            Task[] calls =
            [
                Task.Run(async () => { while (true) await container.UpdateLimitsAsync(new() { Pids = 50 }, token); }, token),
                Task.Run(() => { while (true) container.ReadStats(); }, token),
                Task.Run(async () => { while (true) await foreach (CgroupStats _ in container.SampleStatsAsync(TimeSpan.FromMilliseconds(1), cancellationToken: token)) { } }, token),
            ];
            await Task.Delay(round, Sandbox.Token);
            await container.KillAsync(Sandbox.Token);
            foreach (Task call in calls) Assert.Equal(ContainerState.Ended, (await Assert.ThrowsAsync<ContainerStateException>(() => call.WaitAsync(Sandbox.Token))).State);
        }
    }

    [Fact]
    public async Task Entering_one_that_ends_meanwhile_is_entering_one_that_has_ended()
    {
        CgroupScope.RequiresGroups();
        for (int round = 0; round < 20; round++)
        {
            await using Container container = await Sandbox.HostShell("exec sleep 1000").WithPidsLimit(100).BeginAsync();
            Task[] execs = [.. Enumerable.Range(0, 4).Select(_ => container.ExecAsync(["true"], Sandbox.Token))];
            await Task.Delay(round / 2, Sandbox.Token);
            await container.KillAsync(Sandbox.Token);
            foreach (Task exec in execs)
            {
                Exception? exception = await Record.ExceptionAsync(() => exec);
                Assert.True(exception is null or ContainerStateException, exception?.ToString());
            }
        }
    }

    [Fact]
    public async Task One_that_is_full_of_processes_can_be_paused_and_its_files_be_read()
    {
        CgroupScope.RequiresGroups();
        await using Container container = await Sandbox.HostShell("for i in 1 2 3 4; do sleep 1000 > /dev/null & done; echo ready; exec sleep 1000").WithPidsLimit(5).WithOutput(OutputTarget.Pipe).WithError(OutputTarget.Discard).BeginAsync();
        await container.StandardOutput.ReadUntilAsync("ready");
        await Assert.ThrowsAsync<ContainerException>(() => container.ExecAsync(["true"], Sandbox.Token));

        await container.PauseAsync(Sandbox.Token);
        Assert.True(container.Files.Exists("/etc/hosts"));
        await container.ResumeAsync(Sandbox.Token);
        await container.KillAsync(Sandbox.Token);
    }

    [Fact]
    public async Task In_its_own_view_its_group_is_the_root()
    {
        CgroupScope.RequiresGroups();
        ContainerResult result = await Sandbox.HostShell("cat /proc/self/cgroup").WithPidsLimit(20).RunAsync(Sandbox.Token);

        Assert.Contains(CgroupSystem.Current[CgroupController.Pids].Version == CgroupVersion.V1 ? ":pids:/\n" : "0::/\n", result.StandardOutput, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_born_in_a_group_of_v2_and_enters_those_of_v1()
    {
        CgroupScope.RequiresGroups();
        await using Container container = await Sandbox.HostShell("echo ready; exec sleep 1000").WithPidsLimit(20).WithCgroupControllers(CgroupController.Pressure).WithOutput(OutputTarget.Pipe).BeginAsync();
        await container.StandardOutput.ReadUntilAsync("ready");
        await using ContainerProcess further = await container.NewProcess().WithCommand("sleep", "1000").StartAsync(Sandbox.Token);

        string[] own = File.ReadAllLines($"/proc/{container.ProcessId}/cgroup"), entered = File.ReadAllLines($"/proc/{further.ProcessId}/cgroup");

        string name = "/isolation-" + container.Id;
        Assert.Contains(own, line => line.StartsWith("0::", StringComparison.Ordinal) && line.EndsWith(name, StringComparison.Ordinal));
        Assert.Contains(own, line => line.Contains(CgroupScope.IsV2(CgroupController.Pids) ? "0::" : ":pids:", StringComparison.Ordinal) && line.EndsWith(name, StringComparison.Ordinal));
        Assert.Equal(own, entered);
    }

    [Fact]
    public async Task What_cannot_be_had_is_an_error_and_where_it_was_preferred_a_line_of_the_report()
    {
        CgroupScope.RequiresGroups();
        bool v1 = CgroupSystem.Current[CgroupController.Memory].Version == CgroupVersion.V1;
        ResourceLimits limits = v1 ? new() { MemoryHigh = 64 << 20 } : new() { MemorySwappiness = 10 };

        ContainerException exception = await Assert.ThrowsAsync<ContainerException>(() => Sandbox.HostShell("true").WithLimits(limits).RunAsync(Sandbox.Token));
        Assert.Equal(ContainerErrorReason.LimitRefused, exception.Reason);
        Assert.Contains(v1 ? "memory.high is of v2" : "memory.swappiness is of v1", exception.Message, StringComparison.Ordinal);

        await using Container container = await Sandbox.HostShell("true").WithPreferredLimits(limits with { Pids = 20 }).BeginAsync();
        Assert.Contains(container.Enforcement, entry => entry.Feature == (v1 ? "limit MemoryHigh" : "limit MemorySwappiness") && entry.State == EnforcementState.Fallback);
    }

    [Fact]
    public async Task Without_a_delegated_group_the_error_says_what_helps()
    {
        CgroupScope.RequiresNoGroups();
        ContainerException exception = await Assert.ThrowsAsync<ContainerException>(() => Sandbox.HostShell("true").WithPidsLimit(20).RunAsync(Sandbox.Token));

        Assert.Equal(ContainerErrorReason.LimitForbidden, exception.Reason);
        Assert.Contains("Delegate", exception.Message, StringComparison.Ordinal);
    }
}
