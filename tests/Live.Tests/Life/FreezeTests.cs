using System.Diagnostics;
using Isolation.Cgroups;

namespace Isolation.Live.Tests;

/// <summary>Containers that are paused by the freezer of their control group.</summary>
[Trait("Lane", "VM")]
public sealed class FreezeTests
{
    public static TheoryData<CgroupVersion> Versions => [CgroupVersion.V1, CgroupVersion.V2];

    [Theory, MemberData(nameof(Versions))]
    public async Task All_of_it_stands_still_unseen_and_goes_on(CgroupVersion version)
    {
        CgroupController freezer = Freezer(version);
        using TemporaryDirectory directory = new();

        // A shell that is told by SIGCHLD and waitpid(2) of a child that was stopped; and a nested pid namespace, from where nothing is signalled.
        const string Script = """
            trap 'echo continued > /data/seen' CONT
            (while :; do echo >> /data/child; done) &
            unshare --pid --fork sh -c 'while :; do echo >> /data/nested; done' &
            while :; do echo >> /data/first; done
            """;
        await using Container container = await Sandbox.HostShell(Script).WithBind(directory.Path, "/data").AddCapability(Capability.SysAdmin).WithCgroupControllers(freezer).BeginAsync();
        string[] counters = ["first", "child", "nested"];
        await ProgressAsync(directory, counters);
        await using ContainerProcess further = await container.NewProcess().WithCommand("sh", "-c", "while :; do echo >> /data/further; done").BeginAsync();
        await ProgressAsync(directory, ["further"]);

        for (int round = 0; round < 3; round++)
        {
            await container.PauseAsync(Sandbox.Token);
            await container.PauseAsync(Sandbox.Token);
            Assert.Equal(ContainerState.Paused, container.State);
            Assert.Equal(ContainerState.Paused, further.State);
            long[] before = Counts(directory, [.. counters, "further"]);
            await Task.Delay(100, Sandbox.Token);
            Assert.Equal(before, Counts(directory, [.. counters, "further"]));
            Assert.Equal(ContainerState.Paused, (await Assert.ThrowsAsync<ContainerStateException>(() => container.ExecAsync(["true"], Sandbox.Token))).State);
            Assert.True(container.Files.Exists("/data/first"));

            await container.ResumeAsync(Sandbox.Token);
            Assert.Equal(ContainerState.Running, container.State);
            await ProgressAsync(directory, [.. counters, "further"]);
        }

        Assert.False(File.Exists(directory["seen"]));
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task A_tree_that_forks_all_the_time_stops_as_a_whole(CgroupVersion version)
    {
        CgroupController freezer = Freezer(version);
        const string Script = "fork() { while :; do (true); done; }; for i in 1 2 3 4 5 6 7 8; do fork & done; echo ready; fork";
        await using Container container = await Sandbox.HostShell(Script).WithCgroupControllers(freezer).WithOutput(OutputTarget.Pipe).BeginAsync();
        await container.StandardOutput.ReadUntilAsync("ready");
        string members = Path.Join(container.Launch.Group!.Group.Directories[0], "cgroup.procs");

        for (int round = 0; round < 5; round++)
        {
            await container.PauseAsync(Sandbox.Token);
            string[] processes = File.ReadAllLines(members);
            Assert.True(processes.Length >= 9, $"{processes.Length} processes");
            for (int i = 0; i < 20; i++) Assert.Equal(processes, File.ReadAllLines(members));
            await container.ResumeAsync(Sandbox.Token);
        }
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task It_can_be_killed_stopped_and_disposed_and_its_time_can_be_over(CgroupVersion version)
    {
        CgroupController freezer = Freezer(version);
        await using Container killed = await BeginAsync();
        await using Container stopped = await BeginAsync(builder => builder.WithInit());
        Container disposed = await BeginAsync();
        using CancellationTokenSource source = new();
        await using Container cancelled = await Sandbox.HostShell("sleep 1000 & exec sleep 1000").WithCgroupControllers(freezer).StartAsync(source.Token);
        await using Container timed = await BeginAsync(builder => builder.WithTimeout(TimeSpan.FromSeconds(3)));
        Container[] all = [killed, stopped, disposed, cancelled, timed];
        string[] directories = [.. all.SelectMany(container => container.Launch.Group!.Group.Directories)];
        foreach (Container container in all) await container.PauseAsync(Sandbox.Token);
        Assert.All(all, container => Assert.Equal(ContainerState.Paused, container.State));

        await killed.KillAsync(Sandbox.Token);
        ContainerResult stop = await stopped.StopAsync(TimeSpan.FromMilliseconds(50), Sandbox.Token);
        await disposed.DisposeAsync().AsTask().WaitAsync(Sandbox.Token);
        await source.CancelAsync();

        Assert.Equal(ContainerOutcome.Killed, (await killed.EndAsync()).Outcome);
        Assert.Equal(ContainerOutcome.Killed, stop.Outcome);
        Assert.Equal(ContainerOutcome.Killed, (await disposed.EndAsync()).Outcome);
        Assert.Equal(ContainerOutcome.Cancelled, (await cancelled.EndAsync()).Outcome);
        Assert.Equal(ContainerOutcome.TimedOut, (await timed.EndAsync()).Outcome);
        Assert.Equal(ContainerState.Ended, (await Assert.ThrowsAsync<ContainerStateException>(() => killed.ResumeAsync(Sandbox.Token))).State);
        Assert.All(directories, directory => Assert.False(Directory.Exists(directory), directory));

        Task<Container> BeginAsync(Action<ContainerBuilder>? more = null)
        {
            ContainerBuilder builder = Sandbox.HostShell("trap '' TERM; sleep 1000 & sleep 1000").WithCgroupControllers(freezer);
            more?.Invoke(builder);
            return builder.BeginAsync();
        }
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task A_further_program_dies_and_the_rest_stays_paused(CgroupVersion version)
    {
        CgroupController freezer = Freezer(version);
        using TemporaryDirectory directory = new();
        await using Container container = await Sandbox.HostShell("while :; do echo >> /data/first; done").WithBind(directory.Path, "/data").WithCgroupControllers(freezer).BeginAsync();
        await ProgressAsync(directory, ["first"]);
        ContainerProcess killed = await container.NewProcess().WithCommand("sleep", "1000").BeginAsync(), disposed = await container.NewProcess().WithCommand("sleep", "1000").BeginAsync();
        await container.PauseAsync(Sandbox.Token);
        long[] before = Counts(directory, ["first"]);

        await killed.KillAsync(Sandbox.Token);
        await disposed.DisposeAsync().AsTask().WaitAsync(Sandbox.Token);

        Assert.Equal(ContainerOutcome.Killed, (await killed.WaitAsync(Sandbox.Token)).Outcome);
        Assert.Equal(ContainerState.Paused, container.State);
        Assert.Equal(before, Counts(directory, ["first"]));
        await container.ResumeAsync(Sandbox.Token);
        await ProgressAsync(directory, ["first"]);
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task One_that_is_killed_while_it_is_being_paused_is_paused_or_ended(CgroupVersion version)
    {
        CgroupController freezer = Freezer(version);
        for (int round = 0; round < 30; round++)
        {
            await using Container container = await Sandbox.HostShell("sleep 1000 & sleep 1000 & sleep 1000").WithCgroupControllers(freezer).BeginAsync();
            Task kill = Task.Run(() => container.KillAsync(Sandbox.Token), Sandbox.Token);

            Exception? failure = await Record.ExceptionAsync(() => container.PauseAsync(Sandbox.Token));

            if (failure is not null) Assert.Equal(ContainerState.Ended, Assert.IsType<ContainerStateException>(failure).State);
            await kill;
            Assert.Equal(ContainerState.Ended, container.State);
        }
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task One_that_ends_by_itself_while_it_is_being_paused_is_paused_or_ended(CgroupVersion version)
    {
        CgroupController freezer = Freezer(version);
        for (int round = 0; round < 30; round++)
        {
            await using Container container = await Sandbox.HostShell("sleep 1000 & sleep 1000 & read line").WithInput(InputSource.Pipe).WithCgroupControllers(freezer).BeginAsync();
            Task end = Task.Run(container.StandardInput.Dispose, Sandbox.Token);

            Exception? failure = await Record.ExceptionAsync(() => container.PauseAsync(Sandbox.Token));
            await end;

            if (failure is not null) Assert.Equal(ContainerState.Ended, Assert.IsType<ContainerStateException>(failure).State);
            else if (await Record.ExceptionAsync(() => container.ResumeAsync(Sandbox.Token)) is { } ended) Assert.IsType<ContainerStateException>(ended);
            await container.EndAsync();
        }
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task What_a_dead_host_left_frozen_is_removed(CgroupVersion version)
    {
        CgroupController freezer = Freezer(version);
        using StateFixture state = new();
        (Process host, _, int processId) = await state.HoldAsync($"pause:{freezer}", "sh", "-c", "sleep 1000 & exec sleep 1000");
        string name = File.ReadAllLines($"/proc/{processId}/cgroup").Select(line => line.Split('/')[^1]).First(last => last.StartsWith("isolation-", StringComparison.Ordinal));
        Assert.NotEmpty(GroupsOf(name));

        await StateFixture.EndsAsync(host);
        await using IsolationHost next = await state.OpenAsync();

        await Processes.EndsAsync(processId);
        Assert.Empty(GroupsOf(name));
        Assert.Single(next.Recovery.Removed);
        Assert.Empty(next.Recovery.Left);
    }

    [Fact]
    public async Task A_v1_group_without_the_freezer_is_stopped_by_signals()
    {
        Assert.SkipWhen(CgroupSystem.Current[CgroupController.Pids].Version != CgroupVersion.V1, "the controller pids is not in v1");
        CgroupScope.RequiresGroups();
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithPidsLimit(10));

        await container.PauseAsync(Sandbox.Token);

        while (!Processes.Status(File.ReadAllText($"/proc/{container.ProcessId}/status"))["State"].StartsWith('T')) await Task.Delay(1, Sandbox.Token);
    }

    /// <summary>A controller whose group can be frozen by this version, or a skip.</summary>
    internal static CgroupController Freezer(CgroupVersion version)
    {
        CgroupScope.RequiresGroups();
        CgroupControllerSupport? support = version == CgroupVersion.V1
            ? CgroupSystem.Current.Controllers.FirstOrDefault(controller => controller is { Controller: CgroupController.Freezer, Version: CgroupVersion.V1 })
            : CgroupSystem.Current.Controllers.FirstOrDefault(controller => controller.Version == CgroupVersion.V2);
        Assert.SkipWhen(support is null, version == CgroupVersion.V1 ? "the freezer of v1 is not mounted" : "no controller is in v2");
        return support.Controller;
    }

    private static string[] GroupsOf(string name) => [.. Directory.GetDirectories("/sys/fs/cgroup", name, new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 6, AttributesToSkip = FileAttributes.ReparsePoint })];

    /// <summary>Each writes a line a round.</summary>
    private static long[] Counts(TemporaryDirectory directory, string[] names) => [.. names.Select(name => new FileInfo(directory[name])).Select(file => file.Exists ? file.Length : 0)];

    private static async Task ProgressAsync(TemporaryDirectory directory, string[] names)
    {
        CancellationToken token = Sandbox.Token;
        long[] begin = Counts(directory, names);
        while (Counts(directory, names).Zip(begin).Any(pair => pair.First <= pair.Second + 10)) await Task.Delay(1, token);
    }
}
