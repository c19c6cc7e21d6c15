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
            int[] tree = await StoppedTreeAsync(container.ProcessId);
            Assert.True(tree.Length >= 9, $"{tree.Length} processes");
            for (int i = 0; i < 20; i++) Assert.Equal(tree, TreeOf(container.ProcessId));
            await container.ResumeAsync(Sandbox.Token);
        }

        await container.KillAsync(Sandbox.Token);
    }

    [Fact]
    public async Task Pauses_at_once_take_turns_and_each_returns_when_all_is_stopped()
    {
        await using Container container = await Sandbox.HostShell("(while :; do :; done) & echo ready; while :; do :; done").WithOutput(OutputTarget.Pipe).BeginAsync();
        await container.StandardOutput.ReadUntilAsync("ready");

        for (int round = 0; round < 5; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, 10).Select(async _ =>
            {
                await container.PauseAsync(Sandbox.Token);
                Assert.Equal(ContainerState.Paused, container.State);
                foreach (int process in TreeOf(container.ProcessId)) await StateAsync(process, "T");
            }));
            await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => container.ResumeAsync(Sandbox.Token)));
            Assert.Equal(ContainerState.Running, container.State);
        }
    }

    [Fact]
    public async Task Pausing_and_resuming_at_once_ends_in_one_of_the_two()
    {
        await using Container container = await Sandbox.HostShell("(while :; do :; done) & while :; do :; done").BeginAsync();

        await Task.WhenAll(Enumerable.Range(0, 40).Select(number => number % 2 == 0 ? container.PauseAsync(Sandbox.Token) : container.ResumeAsync(Sandbox.Token)));

        ContainerState state = container.State;
        foreach (int process in TreeOf(container.ProcessId)) await StateAsync(process, state == ContainerState.Paused ? "T" : "RS");
        await container.ResumeAsync(Sandbox.Token);
        Assert.True((await container.ExecAsync(["true"], Sandbox.Token)).Succeeded);
    }

    [Fact]
    public async Task A_program_that_is_being_started_is_stopped_or_refused()
    {
        await using Container container = await Sandbox.SleeperAsync();

        for (int round = 0; round < 25; round++)
        {
            Task<ContainerProcess>[] starts = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() => container.NewProcess().WithCommand("sh", "-c", "while :; do :; done").BeginAsync()))];
            await container.PauseAsync(Sandbox.Token);
            foreach (Task<ContainerProcess> start in starts)
            {
                if (await Record.ExceptionAsync(() => start) is { } refusal)
                {
                    Assert.Equal(ContainerState.Paused, Assert.IsType<ContainerStateException>(refusal).State);
                    continue;
                }

                await using ContainerProcess process = await start;
                Assert.Equal(ContainerState.Paused, process.State);
                await StateAsync(process.ProcessId, "T");
            }

            await container.ResumeAsync(Sandbox.Token);
        }
    }

    [Fact]
    public async Task A_pause_that_is_given_up_leaves_it_running()
    {
        await using Container container = await Sandbox.SleeperAsync();

        using CancellationTokenSource source = new();
        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => container.PauseAsync(source.Token));

        Assert.Equal(ContainerState.Running, container.State);
        Assert.Equal("well", await container.ExecOutputAsync("echo", "well"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_that_ends_while_it_is_paused_has_ended(bool init)
    {
        await using Container container = await Sandbox.SleeperAsync(builder => { if (init) builder.WithInit(); });
        await container.PauseAsync(Sandbox.Token);

        using (PidDescriptor process = PidDescriptor.Open(container.ProcessId)) process.SendSignal(Abi.SIGKILL);

        Assert.Equal(Abi.SIGKILL, (await container.EndAsync()).Signal);
        Assert.Equal(ContainerState.Ended, container.State);
        Assert.Equal(ContainerState.Ended, (await Assert.ThrowsAsync<ContainerStateException>(() => container.ResumeAsync(Sandbox.Token))).State);
        Assert.Equal(ContainerState.Ended, (await Assert.ThrowsAsync<ContainerStateException>(() => container.ExecAsync(["true"], Sandbox.Token))).State);
    }

    [Fact]
    public async Task One_that_is_killed_while_it_is_being_paused_is_paused_or_ended()
    {
        for (int round = 0; round < 30; round++)
        {
            await using Container container = await Sandbox.SleeperAsync();
            Task kill = Task.Run(() => container.KillAsync(Sandbox.Token), Sandbox.Token);

            Exception? failure = await Record.ExceptionAsync(() => container.PauseAsync(Sandbox.Token));

            if (failure is not null) Assert.Equal(ContainerState.Ended, Assert.IsType<ContainerStateException>(failure).State);
            await kill;
            Assert.Equal(ContainerState.Ended, container.State);
        }
    }

    [Fact]
    public async Task A_timeout_kills_it_all_the_same()
    {
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithTimeout(TimeSpan.FromMilliseconds(300)));
        if (await Record.ExceptionAsync(() => container.PauseAsync(Sandbox.Token)) is { } late) Assert.IsType<ContainerStateException>(late);

        Assert.Equal(ContainerOutcome.TimedOut, (await container.EndAsync()).Outcome);
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

    /// <summary>
    /// All processes, once all have taken the signal in: until then one may still be on its way out of the kernel, end,
    /// or be reaped there.
    /// </summary>
    private static async Task<int[]> StoppedTreeAsync(int process)
    {
        CancellationToken token = Sandbox.Token;
        while (true)
        {
            int[] tree = TreeOf(process);
            // What was listed while some still ran may lack others (proc(5), children): listed again once they stand still.
            if (tree.All(IsStopped) && tree.SequenceEqual(TreeOf(process))) return tree;
            await Task.Delay(1, token);
        }
    }

    private static bool IsStopped(int process)
    {
        try
        {
            return State(process) is "T" or "Z";
        }
        catch (IOException)
        {
            return false; // reaped since it was listed
        }
    }

    private static string State(int process) => Processes.Status(File.ReadAllText($"/proc/{process}/status"))["State"][..1];

    private static int[] TreeOf(int process)
    {
        try
        {
            return [process, .. File.ReadAllText($"/proc/{process}/task/{process}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .SelectMany(child => TreeOf(int.Parse(child, CultureInfo.InvariantCulture)))];
        }
        catch (IOException)
        {
            return [process]; // reaped since it was listed
        }
    }
}
