using System.Globalization;
using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>Containers that are paused.</summary>
public sealed class PauseTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_process_stops_and_goes_on(bool init)
    {
        using TemporaryDirectory directory = new();
        const string Script = "(i=0; while :; do i=$((i+1)); echo $i > /data/child; done) & i=0; echo ready; while :; do i=$((i+1)); echo $i > /data/first; done";
        ContainerBuilder builder = Sandbox.HostShell(Script).WithBind(directory.Path, "/data").WithOutput(OutputTarget.Pipe);
        if (init) builder.WithInit();
        await using Container container = await builder.BeginAsync();
        await container.StandardOutput.ReadUntilAsync("ready");
        Assert.Equal(ContainerState.Running, container.State);

        await container.PauseAsync(Sandbox.Token);
        await container.PauseAsync(Sandbox.Token);

        Assert.Equal(ContainerState.Paused, container.State);
        Assert.True(container.IsRunning);
        int[] tree = TreeOf(container.ProcessId);
        Assert.True(tree.Length >= 2);
        foreach (int process in init ? tree.Where(process => process != container.ProcessId) : tree) await StateAsync(process, "T");

        await container.ResumeAsync(Sandbox.Token);
        await container.ResumeAsync(Sandbox.Token);

        Assert.Equal(ContainerState.Running, container.State);
        foreach (string counter in (string[])["first", "child"])
        {
            int now = Count(directory[counter]);
            while (Count(directory[counter]) <= now + 10) await Task.Delay(1, Sandbox.Token);
        }
    }

    [Fact]
    public async Task A_tree_that_forks_all_the_time_stops_as_a_whole()
    {
        const string Script = "fork() { while :; do (true); done; }; for i in 1 2 3 4 5 6 7 8; do fork & done; echo ready; fork";
        await using Container container = await Sandbox.HostShell(Script).WithOutput(OutputTarget.Pipe).BeginAsync();
        await container.StandardOutput.ReadUntilAsync("ready");

        for (int round = 0; round < 5; round++)
        {
            await container.PauseAsync(Sandbox.Token);
            int[] tree = TreeOf(container.ProcessId);
            Assert.True(tree.Length >= 9, $"{tree.Length} processes");
            foreach (int process in tree) await StateAsync(process, "TZ");
            Assert.Equal(tree, TreeOf(container.ProcessId));
            await container.ResumeAsync(Sandbox.Token);
        }

        await container.KillAsync(Sandbox.Token);
    }

    [Fact]
    public async Task Nothing_starts_in_it()
    {
        await using Container container = await Sandbox.SleeperAsync();
        await container.PauseAsync(Sandbox.Token);

        ContainerStateException failure = await Assert.ThrowsAsync<ContainerStateException>(() => container.ExecAsync(["true"], Sandbox.Token));

        Assert.Equal(ContainerState.Paused, failure.State);
        Assert.Contains("paused", failure.Message, StringComparison.Ordinal);
        await container.ResumeAsync(Sandbox.Token);
        Assert.Equal("well", await container.ExecOutputAsync("echo", "well"));
    }

    [Fact]
    public async Task It_can_be_killed_stopped_and_disposed()
    {
        await using Container killed = await Sandbox.SleeperAsync();
        await using Container stopped = await Sandbox.SleeperAsync(builder => builder.WithInit());
        Container disposed = await Sandbox.SleeperAsync();
        foreach (Container container in (Container[])[killed, stopped, disposed]) await container.PauseAsync(Sandbox.Token);

        await killed.KillAsync(Sandbox.Token);
        ContainerResult stop = await stopped.StopAsync(TimeSpan.FromMilliseconds(50), Sandbox.Token);
        await disposed.DisposeAsync().AsTask().WaitAsync(Sandbox.Token);

        Assert.Equal(ContainerOutcome.Killed, (await killed.EndAsync()).Outcome);
        Assert.Equal(ContainerOutcome.Killed, stop.Outcome);
        Assert.Equal(ContainerOutcome.Killed, (await disposed.EndAsync()).Outcome);
        Assert.Equal(ContainerState.Ended, killed.State);
    }

    [Fact]
    public async Task What_dropped_every_capability_stops_too()
    {
        await using Container container = await Sandbox.HostShell("echo ready; while :; do :; done").DropAllCapabilities().WithOutput(OutputTarget.Pipe).BeginAsync();
        await container.StandardOutput.ReadUntilAsync("ready");
        await using ContainerProcess other = await container.NewProcess().WithCommand("sleep", "1000").BeginAsync();

        await container.PauseAsync(Sandbox.Token);

        await StateAsync(container.ProcessId, "T");
        await StateAsync(other.ProcessId, "T");
    }

    [Fact]
    public async Task What_has_ended_cannot_be_paused()
    {
        Container container = await Sandbox.Host("true").BeginAsync();
        await container.EndAsync();

        Assert.Equal(ContainerState.Ended, (await Assert.ThrowsAsync<ContainerStateException>(() => container.PauseAsync(Sandbox.Token))).State);
        Assert.Equal(ContainerState.Ended, (await Assert.ThrowsAsync<ContainerStateException>(() => container.ResumeAsync(Sandbox.Token))).State);
        await container.DisposeAsync();
        Assert.Equal(ContainerState.Ended, container.State);
    }

    [Fact]
    public async Task It_takes_a_pid_namespace_of_its_own()
    {
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithPidNs(NamespaceSource.Host));

        Assert.Contains("pid namespace", (await Assert.ThrowsAsync<InvalidOperationException>(() => container.PauseAsync(Sandbox.Token))).Message, StringComparison.Ordinal);
        Assert.Equal(ContainerState.Running, container.State);
    }

    private static int Count(string file)
    {
        try
        {
            return int.TryParse(File.ReadAllText(file), CultureInfo.InvariantCulture, out int count) ? count : -1;
        }
        catch (FileNotFoundException)
        {
            return -1;
        }
    }

    /// <summary>A signal that was sent is taken in a moment later.</summary>
    private static async Task StateAsync(int process, string states)
    {
        CancellationToken token = Sandbox.Token;
        while (!states.Contains(State(process), StringComparison.Ordinal)) await Task.Delay(1, token);
    }

    private static string State(int process) => Processes.Status(File.ReadAllText($"/proc/{process}/status"))["State"][..1];

    private static int[] TreeOf(int process) =>
        [process, .. File.ReadAllText($"/proc/{process}/task/{process}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(child => TreeOf(int.Parse(child, CultureInfo.InvariantCulture)))];
}
