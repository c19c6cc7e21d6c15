using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>What each member does after disposal, and before the start.</summary>
public sealed class DisposedTests
{
    [Fact]
    public async Task What_tells_of_a_container_still_does()
    {
        Container container = await Sandbox.HostShell("exit 3").BeginAsync();
        int process = container.ProcessId;
        string id = container.Id;
        ContainerResult result = await container.EndAsync();

        await container.DisposeAsync();
        await container.DisposeAsync();

        Assert.Equal((process, id, false, ContainerState.Ended), (container.ProcessId, container.Id, container.IsRunning, container.State));
        Assert.NotEmpty(container.Enforcement);
        Assert.Equal("sh", container.Spec.Command[0]);
        Assert.Same(result, await container.WaitAsync(Sandbox.Token));
    }

    [Fact]
    public async Task Asking_it_to_end_does_nothing()
    {
        Container container = await Sandbox.HostShell("exit 3").BeginAsync();
        ContainerResult result = await container.EndAsync();
        await container.DisposeAsync();

        await container.KillAsync(Sandbox.Token);

        Assert.Same(result, await container.StopAsync(cancellationToken: Sandbox.Token));
        Assert.Equal(ContainerOutcome.Exited, (await container.EndAsync()).Outcome);
    }

    [Fact]
    public async Task Asking_it_for_more_is_refused()
    {
        Container container = await Sandbox.SleeperAsync();
        await container.DisposeAsync();

        Func<Task>[] calls =
        [
            () => container.SignalAsync(Abi.SIGTERM),
            () => container.PauseAsync(Sandbox.Token),
            () => container.ResumeAsync(Sandbox.Token),
            () => container.ExecAsync(["true"], Sandbox.Token),
            () => container.NewProcess().WithCommand("true").StartAsync(Sandbox.Token),
            () => container.NewProcess().WithCommand("true").WithUser("root").RunAsync(Sandbox.Token),
        ];
        foreach (Func<Task> call in calls) Assert.Equal(ContainerState.Ended, (await Assert.ThrowsAsync<ContainerStateException>(call)).State);
        Assert.Equal(ContainerErrorReason.NamespaceNotFound, (await Sandbox.Host("true").JoinNamespacesOf(container, NamespaceKind.Network).RefusalAsync()).Reason);
    }

    [Fact]
    public async Task A_further_programs_members_are_the_same()
    {
        await using Container container = await Sandbox.SleeperAsync();
        ContainerProcess process = await container.NewProcess().WithCommand("sleep", "1000").WithInput(InputSource.Pipe).BeginAsync();
        Stream input = process.StandardInput;

        await process.DisposeAsync();

        Assert.Same(input, process.StandardInput);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => input.SendAsync("x"));
        await Assert.ThrowsAsync<ContainerStateException>(() => process.SignalAsync(Abi.SIGTERM));
        Assert.Equal(ContainerOutcome.Killed, (await process.StopAsync(cancellationToken: Sandbox.Token)).Outcome);
        Assert.Equal((false, ContainerState.Ended), (process.IsRunning, process.State));
        Assert.True(container.IsRunning);
    }

    [Fact]
    public async Task Until_its_program_runs_it_is_starting()
    {
        // The one launcher thread is held up, so that what is started afterwards waits for it.
        using ManualResetEventSlim held = new(), go = new();
        Launch.LauncherThread.Shared.Enqueue(new Launch.LaunchRequest { Image = -1, Descriptors = [], CloneFlags = 0, LastCapability = -1, OnBorn = _ =>
        {
            held.Set();
            go.Wait(TimeSpan.FromMinutes(1));
        } });
        ContainerLaunch launch;
        try
        {
            launch = ContainerLaunch.Begin(Sandbox.Host("sleep", "1000").Build(), Sandbox.Token);
            Assert.Equal(ContainerState.Starting, launch.State);
            Assert.False(launch.Signal(Abi.SIGTERM));
        }
        finally
        {
            go.Set();
        }

        await launch.Started;
        await using Container container = new(launch);
        Assert.Equal(ContainerState.Running, container.State);
    }
}
