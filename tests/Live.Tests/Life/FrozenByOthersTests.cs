using Isolation.Cgroups;

namespace Isolation.Live.Tests;

/// <summary>Control groups that somebody else has frozen: nothing hangs.</summary>
[Trait("Lane", "VM")]
public sealed class FrozenByOthersTests
{
    [Theory, MemberData(nameof(FreezeTests.Versions), MemberType = typeof(FreezeTests))]
    public async Task A_container_beneath_a_frozen_group_is_an_error_and_others_start(CgroupVersion version)
    {
        CgroupController freezer = FreezeTests.Freezer(version);
        string name = CgroupScope.NewName();
        await using Cgroup parent = Cgroup.Create(name, ResourceLimits.None, new CgroupOptions { Controllers = [freezer] });
        await parent.FreezeAsync(TimeSpan.FromSeconds(10), Sandbox.Token);
        ContainerBuilder builder = Sandbox.HostShell("true").WithCgroupParent(name).WithCgroupControllers(freezer);

        ContainerException exception = await Assert.ThrowsAsync<ContainerException>(() => builder.RunAsync(Sandbox.Token));

        Assert.Equal(ContainerErrorReason.LimitRefused, exception.Reason);
        Assert.Contains("is frozen", exception.Message, StringComparison.Ordinal);
        Assert.True((await Sandbox.HostShell("true").RunAsync(Sandbox.Token)).Succeeded);
        parent.Thaw();
        Assert.True((await builder.RunAsync(Sandbox.Token)).Succeeded);
        Assert.Empty(Directory.GetDirectories(parent.Directories[0]));
    }

    [Fact]
    public async Task One_that_is_frozen_as_its_child_is_put_into_it_holds_up_that_launch_alone()
    {
        CgroupController freezer = FreezeTests.Freezer(CgroupVersion.V2);
        string name = CgroupScope.NewName();
        await using Cgroup parent = Cgroup.Create(name, ResourceLimits.None, new CgroupOptions { Controllers = [freezer] });
        ContainerBuilder builder = Sandbox.HostShell("true").WithCgroupParent(name).WithCgroupControllers(freezer);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Sandbox.Token);
        string file = Path.Join(parent.Directories[0], "cgroup.freeze");
        Task freezing = Task.Run(async () =>
        {
            for (bool frozen = true; !stop.IsCancellationRequested; frozen = !frozen)
            {
                await File.WriteAllTextAsync(file, frozen ? "1" : "0", CancellationToken.None);
                await Task.Delay(1, CancellationToken.None);
            }
        }, CancellationToken.None);

        for (int round = 0; round < 50; round++)
        {
            using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(Sandbox.Token);
            patience.CancelAfter(TimeSpan.FromMilliseconds(200));
            Task<ContainerResult> launch = builder.RunAsync(patience.Token), other = Sandbox.HostShell("true").RunAsync(Sandbox.Token);
            Exception? exception = await Record.ExceptionAsync(() => launch.WaitAsync(Sandbox.Token));
            Assert.True(exception is null or OperationCanceledException or ContainerException { Reason: ContainerErrorReason.LimitRefused }, exception?.ToString());
            Assert.True((await other).Succeeded);
        }

        await stop.CancelAsync();
        await freezing;
        parent.Thaw();
    }

    [Theory, MemberData(nameof(FreezeTests.Versions), MemberType = typeof(FreezeTests))]
    public async Task A_further_program_is_refused_and_one_that_was_on_its_way_can_be_cancelled(CgroupVersion version)
    {
        CgroupController freezer = FreezeTests.Freezer(version);
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithCgroupControllers(freezer));
        (string file, string frozen, string thawed) = FreezerOf(container, version);

        File.WriteAllText(file, frozen);
        ContainerStateException refused = await Assert.ThrowsAsync<ContainerStateException>(() => container.ExecAsync(["true"], Sandbox.Token));
        Assert.Contains("frozen", refused.Message, StringComparison.Ordinal);
        File.WriteAllText(file, thawed);

        for (int round = 0; round < 30; round++)
        {
            using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(Sandbox.Token);
            Task<ContainerResult> exec = container.ExecAsync(["true"], patience.Token);
            await Task.Delay(round % 3, Sandbox.Token);
            File.WriteAllText(file, frozen);
            patience.CancelAfter(TimeSpan.FromMilliseconds(round % 10 == 9 ? 3000 : 20)); // within a second it is found out
            Exception? exception = await Record.ExceptionAsync(() => exec.WaitAsync(Sandbox.Token));
            Assert.True(exception is null or OperationCanceledException or ContainerStateException, exception?.ToString());
            File.WriteAllText(file, thawed);
        }

        Assert.True((await container.ExecAsync(["true"], Sandbox.Token)).Succeeded);
        Assert.Equal(ContainerState.Running, container.State);
    }

    [Theory, MemberData(nameof(FreezeTests.Versions), MemberType = typeof(FreezeTests))]
    public async Task It_can_be_disposed_while_a_further_program_is_on_its_way_into_it(CgroupVersion version)
    {
        CgroupController freezer = FreezeTests.Freezer(version);
        for (int round = 0; round < 15; round++)
        {
            Container container = await Sandbox.SleeperAsync(builder => builder.WithCgroupControllers(freezer));
            (string file, string frozen, _) = FreezerOf(container, version);
            using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(Sandbox.Token);
            Task<ContainerResult> exec = container.ExecAsync(["true"], patience.Token);
            await Task.Delay(round % 3, Sandbox.Token);
            File.WriteAllText(file, frozen);
            patience.CancelAfter(TimeSpan.FromMilliseconds(5));

            await container.DisposeAsync().AsTask().WaitAsync(Sandbox.Token);

            Exception? exception = await Record.ExceptionAsync(() => exec.WaitAsync(Sandbox.Token));
            Assert.True(exception is null or OperationCanceledException or ContainerStateException, exception?.ToString());
        }
    }

    private static (string File, string Frozen, string Thawed) FreezerOf(Container container, CgroupVersion version)
    {
        (string name, string frozen, string thawed) = version == CgroupVersion.V1 ? ("freezer.state", "FROZEN", "THAWED") : ("cgroup.freeze", "1", "0");
        return (container.Launch.Group!.Group.Directories.Select(directory => Path.Join(directory, name)).First(File.Exists), frozen, thawed);
    }
}
