using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>Further programs in a container.</summary>
public sealed class ExecTests
{
    private static readonly string[] Kinds = [.. Enum.GetValues<NamespaceKind>().Select(NamespaceDescriptors.FileName)];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_is_in_all_eight_namespaces(bool init)
    {
        await using Container container = await Sandbox.SleeperAsync(builder => { if (init) builder.WithInit(); });

        string[] inside = (await container.ExecOutputAsync(["readlink", .. Kinds.Select(kind => "/proc/self/ns/" + kind)])).Split('\n');

        Assert.Equal(8, inside.Length);
        Assert.Equal(Kinds.Select(kind => Processes.Namespace(container.ProcessId, kind)), inside);
        Assert.Equal(8, inside.Except(Kinds.Select(kind => Processes.Namespace(Environment.ProcessId, kind))).Count());
    }

    [Fact]
    public async Task It_joins_no_namespace_that_is_the_hosts()
    {
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithNetNs(NamespaceSource.Host).WithUtsNs(NamespaceSource.Host));

        string[] inside = (await container.ExecOutputAsync(["readlink", .. Kinds.Select(kind => "/proc/self/ns/" + kind)])).Split('\n');

        Assert.Equal(Kinds.Select(kind => Processes.Namespace(container.ProcessId, kind)), inside);
    }

    [Fact]
    public async Task It_sees_the_containers_files_and_processes()
    {
        await using Container container = await Sandbox.HostShell("echo mine > /tmp/mark; exec sleep 1000").WithHostName("inside").BeginAsync();

        Assert.Equal("inside\n/usr/bin/sleep", await container.ExecShellAsync("hostname; readlink /proc/1/exe"));
        await container.ExecShellAsync("echo second > /tmp/other");
        Assert.Equal("second", await container.ExecOutputAsync("cat", "/tmp/other"));
    }

    [Fact]
    public async Task What_is_not_said_is_as_for_the_first_program()
    {
        const string Script = "id -u; id -g; pwd; umask; echo $NAME; grep -E '^(Cap|NoNewPrivs)' /proc/self/status";
        ContainerBuilder builder = Sandbox.HostShell(Script + "; echo ready >&2; exec sleep 1000").WithUser(1000, 1001).WithWorkingDirectory("/usr/share").WithUmask(0x3F)
            .WithEnvironment("NAME", "value").WithOutput(OutputTarget.Pipe).WithError(OutputTarget.Pipe);
        SubordinateRange.Use(builder);
        await using Container container = await builder.BeginAsync();
        await container.StandardError.ReadUntilAsync("ready");

        string first = await container.StandardOutput.ReadUntilAsync("NoNewPrivs:\t1\n");

        Assert.StartsWith("1000\n1001\n/usr/share\n0077\nvalue\n", first, StringComparison.Ordinal);
        Assert.Equal(first.TrimEnd('\n'), await container.ExecShellAsync(Script));
    }

    [Fact]
    public async Task What_is_said_is_its_alone()
    {
        const string Script = "id -u; id -g; pwd; umask; echo $NAME $OTHER";
        await using Container container = await Sandbox.SleeperAsync(builder =>
        {
            SubordinateRange.Use(builder);
            builder.WithEnvironment("NAME", "value").WithEnvironment("OTHER", "kept");
        });

        string output = await container.NewProcess().WithCommand("sh", "-c", Script).WithUser(5, 6).WithWorkingDirectory("/tmp").WithUmask(0x3F).WithEnvironment("NAME", "another").OutputAsync();

        Assert.Equal("5\n6\n/tmp\n0077\nanother kept", output);
        Assert.Equal("0\n0\n/\n0022\nvalue kept", await container.ExecShellAsync(Script));
    }

    [Fact]
    public async Task A_user_is_one_of_the_containers_files()
    {
        using TestRoot root = new();
        root.Write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nworker:x:1000:100::/home/worker:/bin/sh\n");
        root.Write("etc/group", "users:x:100:\nmedia:x:44:worker\n");
        ContainerBuilder builder = root.Container(RootAccess.ReadOnly, "sleep", "1000");
        SubordinateRange.Use(builder);
        await using Container container = await builder.BeginAsync();

        string[] lines = (await container.NewProcess().WithCommand("sh", "-c", "id -u; id -g; id -G; echo $HOME").WithUser("worker").OutputAsync()).Split('\n');

        Assert.Equal(["1000", "100"], lines[..2]);
        Assert.Equal(["100", "44"], lines[2].Split(' ').Order());
        Assert.Equal("/home/worker", lines[3]);
    }

    [Fact]
    public async Task What_cannot_start_is_named_and_the_container_runs_on()
    {
        await using Container container = await Sandbox.SleeperAsync();

        ContainerException program = await Assert.ThrowsAsync<ContainerException>(() => container.ExecAsync(["no-such-program"], Sandbox.Token));
        ContainerException user = await Assert.ThrowsAsync<ContainerException>(() => container.NewProcess().WithCommand("true").WithUser("nobody-here").RunAsync(Sandbox.Token));
        ContainerException directory = await Assert.ThrowsAsync<ContainerException>(() => container.NewProcess().WithCommand("true").WithWorkingDirectory("/no/such").RunAsync(Sandbox.Token));

        Assert.Equal((ContainerErrorReason.ProgramNotFound, ContainerErrorReason.UserNotFound, ContainerErrorReason.WorkingDirectoryNotFound), (program.Reason, user.Reason, directory.Reason));
        Assert.Contains("no-such-program", program.Message, StringComparison.Ordinal);
        Assert.Contains("nobody-here", user.Message, StringComparison.Ordinal);
        Assert.Equal("well", await container.ExecOutputAsync("echo", "well"));
    }

    [Fact]
    public async Task It_needs_a_command()
    {
        await using Container container = await Sandbox.SleeperAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => container.NewProcess().RunAsync(Sandbox.Token));
        await Assert.ThrowsAsync<InvalidOperationException>(() => container.ExecAsync([""], Sandbox.Token));
    }

    [Fact]
    public async Task Nothing_starts_in_a_container_that_has_ended()
    {
        Container container = await Sandbox.Host("true").BeginAsync();
        await container.EndAsync();

        ContainerStateException failure = await Assert.ThrowsAsync<ContainerStateException>(() => container.ExecAsync(["true"], Sandbox.Token));

        Assert.Equal(ContainerState.Ended, failure.State);
        Assert.Contains("ended", failure.Message, StringComparison.Ordinal);
        await container.DisposeAsync();
        await Assert.ThrowsAsync<ContainerStateException>(() => container.NewProcess().WithCommand("true").BeginAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task In_a_container_that_is_being_killed_it_ends_or_is_refused(bool init)
    {
        for (int round = 0; round < 100; round++)
        {
            await using Container container = await Sandbox.SleeperAsync(builder => { if (init) builder.WithInit(); });
            Task<ContainerResult>[] runs = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() => container.ExecAsync(["true"], Sandbox.Token)))];
            for (int i = 0; i < round; i++) Thread.SpinWait(1_000); // later each time

            await container.KillAsync(Sandbox.Token);

            foreach (Task<ContainerResult> run in runs)
            {
                if (await Record.ExceptionAsync(() => run) is { } failure) Assert.Equal(ContainerState.Ended, Assert.IsType<ContainerStateException>(failure).State);
                else Assert.True((await run).Succeeded || (await run).Signal == Abi.SIGKILL, $"{await run}");
            }
        }
    }

    [Fact]
    public async Task A_signal_after_its_end_is_refused()
    {
        await using Container container = await Sandbox.SleeperAsync();
        await using ContainerProcess process = await container.NewProcess().WithCommand("true").BeginAsync();
        await process.EndAsync();

        ContainerStateException failure = await Assert.ThrowsAsync<ContainerStateException>(() => process.SignalAsync(Abi.SIGTERM));

        Assert.Equal(ContainerState.Ended, failure.State);
        Assert.Equal(0, (await process.StopAsync(cancellationToken: Sandbox.Token)).ExitCode);
        await process.KillAsync(Sandbox.Token);
        Assert.True(container.IsRunning);
    }

    [Fact]
    public async Task A_stop_reaches_it_alone_and_kills_it_where_it_is_not_heard()
    {
        await using Container container = await Sandbox.SleeperAsync();
        await using ContainerProcess polite = await container.NewProcess().WithCommand("sh", "-c", "trap 'exit 9' TERM; echo ready; sleep 1000 & wait").WithOutput(OutputTarget.Pipe).BeginAsync();
        await using ContainerProcess deaf = await container.NewProcess().WithCommand("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1000; done").WithOutput(OutputTarget.Pipe).BeginAsync();
        await polite.StandardOutput.ReadUntilAsync("ready");
        await deaf.StandardOutput.ReadUntilAsync("ready");

        Assert.Equal(9, (await polite.StopAsync(TimeSpan.FromMinutes(1), Sandbox.Token)).ExitCode);
        Assert.Equal(ContainerOutcome.Killed, (await deaf.StopAsync(TimeSpan.FromMilliseconds(100), Sandbox.Token)).Outcome);
        Assert.True(container.IsRunning);
    }

    [Fact]
    public async Task A_hundred_at_once()
    {
        await using Container container = await Sandbox.SleeperAsync();

        string[] outputs = await Task.WhenAll(Enumerable.Range(0, 100).Select(number => container.ExecShellAsync($"echo {number}; echo $$")));

        Assert.Equal(Enumerable.Range(0, 100).Select(number => $"{number}"), outputs.Select(output => output.Split('\n')[0]));
        Assert.Equal(100, outputs.Select(output => output.Split('\n')[1]).Distinct().Count());
    }

    [Theory]
    [InlineData("exit 0", 0, null)]
    [InlineData("exit 41", 41, null)]
    [InlineData("kill -9 $$", null, 9)]
    [InlineData("kill -15 $$", null, 15)]
    public async Task Its_end_is_its_own(string script, int? code, int? signal)
    {
        await using Container container = await Sandbox.SleeperAsync();

        ContainerResult result = await container.ExecAsync(["sh", "-c", script], Sandbox.Token);

        Assert.Equal((code, signal), (result.ExitCode, result.Signal));
        Assert.Equal(code is null ? ContainerOutcome.Signalled : ContainerOutcome.Exited, result.Outcome);
        Assert.True(container.IsRunning);
    }

    [Fact]
    public async Task Killing_it_leaves_the_container_and_the_others()
    {
        await using Container container = await Sandbox.SleeperAsync();
        await using ContainerProcess killed = await container.NewProcess().WithCommand("sleep", "1000").BeginAsync();
        await using ContainerProcess other = await container.NewProcess().WithCommand("sleep", "1000").BeginAsync();

        await killed.KillAsync(Sandbox.Token);

        Assert.Equal(ContainerOutcome.Killed, (await killed.EndAsync()).Outcome);
        Assert.Equal((true, true), (container.IsRunning, other.IsRunning));
        Assert.Equal("well", await container.ExecOutputAsync("echo", "well"));
    }

    [Fact]
    public async Task Cancelling_it_kills_it_alone()
    {
        await using Container container = await Sandbox.SleeperAsync();
        using CancellationTokenSource source = new();
        await using ContainerProcess process = await container.NewProcess().WithCommand("sleep", "1000").StartAsync(source.Token);
        Task<ContainerResult> run = container.ExecAsync(["sleep", "1000"], source.Token);

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        Assert.Equal(ContainerOutcome.Cancelled, (await process.EndAsync()).Outcome);
        Assert.True(container.IsRunning);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => container.ExecAsync(["true"], source.Token));
    }

    [Fact]
    public async Task The_end_of_the_container_is_its_end()
    {
        await using Container container = await Sandbox.SleeperAsync();
        await using ContainerProcess process = await container.NewProcess().WithCommand("sh", "-c", "trap '' TERM INT HUP; sleep 1000; sleep 1000").BeginAsync();

        await container.KillAsync(Sandbox.Token);

        Assert.Equal(9, (await process.EndAsync()).Signal);
    }

    [Fact]
    public async Task It_has_streams_a_timeout_and_signals_of_its_own()
    {
        await using Container container = await Sandbox.SleeperAsync();
        await using ContainerProcess cat = await container.NewProcess().WithCommand("cat").WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe).BeginAsync();
        await cat.StandardInput.SendAsync("through\n");
        Assert.Equal("through\n", await cat.StandardOutput.ReadUntilAsync("\n"));

        await cat.SignalAsync(Abi.SIGTERM);
        ContainerResult late = await container.NewProcess().WithCommand("sleep", "1000").WithTimeout(TimeSpan.FromMilliseconds(50)).RunAsync(Sandbox.Token);

        Assert.Equal((ContainerOutcome.Signalled, Abi.SIGTERM), ((await cat.EndAsync()).Outcome, (await cat.EndAsync()).Signal));
        Assert.Equal(ContainerOutcome.TimedOut, late.Outcome);
        Assert.True(container.IsRunning);
    }
}
