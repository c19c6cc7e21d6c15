using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>A container with an init.</summary>
public sealed class InitTests
{
    [Fact]
    public async Task The_program_is_the_second_process()
    {
        string[] lines = await Sandbox.HostShell("echo $$ $PPID; cat /proc/1/status | grep ^PPid; ls /proc | grep -c '^[0-9]'").WithInit().LinesAsync();

        Assert.Equal("2 1", lines[0]);
        Assert.Equal("PPid:\t0", lines[1]);
    }

    [Fact]
    public async Task It_holds_nothing_of_the_programs_streams()
    {
        await using Container container = await Sandbox.HostShell("exec >&-; read answer").WithInit().WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe).BeginAsync();

        Assert.Equal(0, await container.StandardOutput.ReadAsync(new byte[1], Sandbox.Token));
        Assert.True(container.IsRunning);
    }

    [Fact]
    public async Task It_takes_a_few_pages_of_memory()
    {
        await using Container container = await Sandbox.Host("sleep", "1000").WithInit().BeginAsync();

        // Of its image, which it shares with every launch of the same spec, it writes to one page. One or two of stack are the kernel's, as of every process: arguments and auxiliary vector (proc_pid_smaps(5)).
        Dictionary<string, int> own = [];
        string mapping = "";
        foreach (string[] words in (await File.ReadAllLinesAsync($"/proc/{container.ProcessId}/smaps", Sandbox.Token)).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
        {
            if (words[0] == "Anonymous:") own[mapping] = own.GetValueOrDefault(mapping) + int.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture);
            else if (words[0][^1] != ':') mapping = words.Length > 5 ? words[5] : "";
        }

        int page = Environment.SystemPageSize / 1024;
        Assert.InRange(own.Where(entry => entry.Key != "[stack]").Sum(entry => entry.Value), page, page);
        Assert.InRange(own.Values.Sum(), page, 3 * page);
    }

    [Fact]
    public async Task Orphans_are_reaped()
    {
        // Each subshell leaves a child to the init. The process numbers tell that there were as many.
        const string Script = """
            i=0; while [ $i -lt 1000 ]; do (true & true); i=$((i+1)); done
            i=0; while n=$(grep -h '^State:' /proc/[0-9]*/status 2>/dev/null | grep -c Z); [ $n -gt 0 ] && [ $i -lt 5000 ]; do i=$((i+1)); done
            echo $n
            sh -c 'echo $$'
            """;

        string[] lines = (await Sandbox.HostShell(Script).WithInit().ResultAsync()).StandardOutput.Split('\n');

        Assert.Equal("0", lines[0]);
        Assert.InRange(int.Parse(lines[1], System.Globalization.CultureInfo.InvariantCulture), 2001, int.MaxValue);
    }

    [Theory]
    [InlineData("exit 0", 0, null)]
    [InlineData("exit 3", 3, null)]
    [InlineData("exit 255", 255, null)]
    [InlineData("kill -9 $$", null, 9)]
    [InlineData("kill -15 $$", null, 15)]
    [InlineData("kill -6 $$", null, 6)]
    public async Task The_programs_end_is_passed_on(string script, int? code, int? signal)
    {
        ContainerResult result = await Sandbox.HostShell("echo out; " + script).WithInit().ResultAsync();

        Assert.Equal((code, signal, "out\n"), (result.ExitCode, result.Signal, result.StandardOutput));
        Assert.Equal(code is null ? ContainerOutcome.Signalled : ContainerOutcome.Exited, result.Outcome);
    }

    [Fact]
    public async Task What_the_program_leaves_ends_with_it()
    {
        await using Container container = await Sandbox.HostShell("trap '' TERM; sleep 1000 & exit 4").WithInit().BeginAsync();

        Assert.Equal(4, (await container.EndAsync()).ExitCode);
        await Processes.EndsAsync(container.ProcessId);
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_reported()
    {
        ContainerException refusal = await Sandbox.Host("no-such-program").WithInit().RefusalAsync();

        Assert.Equal(ContainerErrorReason.ProgramNotFound, refusal.Reason);
        Assert.Contains("no-such-program", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_reaches_the_program()
    {
        await using Container container = await Sandbox.HostShell("trap 'echo stopping; exit 9' TERM; echo ready >&2; sleep 1000 & wait").WithInit().WithError(OutputTarget.Pipe).BeginAsync();
        await container.StandardError.ReadUntilAsync("ready");

        ContainerResult result = await container.StopAsync(TimeSpan.FromMinutes(1), Sandbox.Token);

        Assert.Equal((9, "stopping\n"), (result.ExitCode, result.StandardOutput));
    }

    [Fact]
    public async Task A_program_without_a_handler_is_stopped_at_once()
    {
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithInit());

        ContainerResult result = await container.StopAsync(TimeSpan.FromMinutes(1), Sandbox.Token);

        Assert.Equal(Abi.SIGTERM, result.Signal);
    }

    [Fact]
    public async Task A_signal_reaches_the_program()
    {
        await using Container container = await Sandbox.HostShell("trap 'exit 11' USR1; echo ready >&2; sleep 1000 & wait").WithInit().WithError(OutputTarget.Pipe).BeginAsync();
        await container.StandardError.ReadUntilAsync("ready");

        await container.SignalAsync(10);

        Assert.Equal(11, (await container.EndAsync()).ExitCode);
        await Assert.ThrowsAsync<ContainerStateException>(() => container.SignalAsync(10));
    }

    [Fact]
    public async Task A_kill_ends_all()
    {
        await using Container container = await Sandbox.HostShell("sleep 1000 & echo ready; wait").WithInit().WithOutput(OutputTarget.Pipe).BeginAsync();
        await container.StandardOutput.ReadUntilAsync("ready");

        await container.KillAsync(Sandbox.Token);

        ContainerResult result = await container.EndAsync();
        Assert.Equal((ContainerOutcome.Killed, 9), (result.Outcome, result.Signal));
        await Processes.EndsAsync(container.ProcessId);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Ten_thousand_orphans_are_reaped()
    {
        const string Script = """
            i=0; while [ $i -lt 500 ]; do (true & true & true & true & true & true & true & true & true & true & true & true & true & true & true & true & true & true & true & true &); i=$((i+1)); done
            i=0; while n=$(grep -h '^State:' /proc/[0-9]*/status 2>/dev/null | grep -c Z); [ $n -gt 0 ] && [ $i -lt 5000 ]; do i=$((i+1)); done
            echo $n
            """;
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromMinutes(10));

        Assert.Equal("0\n", (await Sandbox.HostShell(Script).WithInit().RunAsync(patience.Token)).StandardOutput);
    }

    [Fact]
    public async Task A_signal_after_the_programs_end_finds_it_ended_though_its_output_is_still_passed_on()
    {
        CancellationToken token = Sandbox.Token;
        using ManualResetEventSlim go = new();
        await using Container container = await Sandbox.Host("echo", "out").WithInit().WithOutput(OutputTarget.ToLines(_ => go.Wait(token))).BeginAsync();
        await Processes.EndsAsync(container.ProcessId);

        try
        {
            // The first process is gone; this side may hear of it a moment later, and until then a signal goes to nobody.
            while (await Record.ExceptionAsync(() => container.SignalAsync(Abi.SIGCONT)) is not { } failure || Throw(failure)) await Task.Delay(1, token);
            Assert.True(container.IsRunning);
            Assert.False(container.StopAsync(TimeSpan.FromHours(1), token).IsCompleted);
        }
        finally
        {
            go.Set();
        }

        Assert.Equal(0, (await container.EndAsync()).ExitCode);

        static bool Throw(Exception failure) => failure is ContainerStateException ? false : throw failure;
    }

    [Fact]
    public async Task Its_end_is_that_of_every_further_program()
    {
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithInit());
        ContainerProcess[] processes = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ =>
            container.NewProcess().WithCommand("cat").WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe).BeginAsync()));

        using (PidDescriptor init = PidDescriptor.Open(container.ProcessId)) init.SendSignal(Abi.SIGKILL);

        foreach (ContainerProcess process in processes)
        {
            Assert.Equal((ContainerOutcome.Signalled, Abi.SIGKILL), ((await process.EndAsync()).Outcome, (await process.EndAsync()).Signal));
            Assert.Equal("", await process.StandardOutput.ReadToEndAsync());
            await process.DisposeAsync();
        }

        Assert.Equal((ContainerOutcome.Signalled, Abi.SIGKILL), ((await container.EndAsync()).Outcome, (await container.EndAsync()).Signal));
    }

    [Fact]
    public async Task It_needs_a_pid_namespace_of_the_containers_own()
    {
        await using Container first = await Sandbox.SleeperAsync();

        Assert.Contains("WithInit", Assert.Throws<InvalidOperationException>(Sandbox.Host("true").WithInit().WithPidNs(NamespaceSource.Host).Build).Message, StringComparison.Ordinal);
        Assert.Contains("WithInit", Assert.Throws<InvalidOperationException>(Sandbox.Host("true").WithInit().WithPidNs(NamespaceSource.Of(first)).Build).Message, StringComparison.Ordinal);
    }
}
