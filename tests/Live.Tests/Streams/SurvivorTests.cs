using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>
/// Programs that leave a process behind which keeps their streams: nobody waits for it. A container with a pid namespace
/// of its own has none, but a further program in one may: it lives for as long as the container, which each test looks at
/// last, because a container that ran out of patience would end everything as well.
/// </summary>
public sealed class SurvivorTests
{
    private const string Silent = "sleep 1000 & echo out";
    private const string Talkative = "echo out; yes out & exit 0";

    [Theory]
    [InlineData(Silent)]
    [InlineData(Talkative)]
    public async Task What_is_captured_ends_with_the_program(string script)
    {
        await using Container container = await Sandbox.SleeperAsync();

        ContainerResult result = await container.ExecAsync(["sh", "-c", script], Sandbox.Token);

        Assert.Equal(0, result.ExitCode);
        Assert.StartsWith("out\n", result.StandardOutput, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Silent)]
    [InlineData(Talkative)]
    public async Task A_pipe_gives_what_is_in_it_and_then_the_end(string script)
    {
        await using Container container = await Sandbox.SleeperAsync();
        await using ContainerProcess process = await container.NewProcess().WithCommand("sh", "-c", script).WithOutput(OutputTarget.Pipe).BeginAsync();

        Assert.Equal(0, (await process.EndAsync()).ExitCode);

        string output = await process.StandardOutput.ReadToEndAsync();
        Assert.StartsWith("out\n", output, StringComparison.Ordinal);
        Assert.Equal(0, await process.StandardOutput.ReadAsync(new byte[1], Sandbox.Token));
        Assert.True(container.IsRunning);
    }

    [Fact]
    public async Task A_read_that_waits_when_the_program_ends_sees_the_end()
    {
        await using Container container = await Sandbox.SleeperAsync();
        await using ContainerProcess process = await container.NewProcess().WithCommand("sh", "-c", "sleep 1000 & read answer")
            .WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe).BeginAsync();
        Task<int> read = process.StandardOutput.ReadAsync(new byte[1], Sandbox.Token).AsTask();
        Assert.False(read.IsCompleted);

        await process.StandardInput.SendAsync("go\n");

        Assert.Equal(0, await read);
        Assert.True(container.IsRunning);
    }

    [Theory]
    [InlineData(Silent)]
    [InlineData(Talkative)]
    public async Task Lines_that_are_read_end(string script)
    {
        await using Container container = await Sandbox.SleeperAsync();
        await using ContainerProcess process = await container.NewProcess().WithCommand("sh", "-c", script)
            .WithOutput(OutputTarget.Pipe).WithError(OutputTarget.Pipe).BeginAsync();
        List<string> lines = [];

        await foreach (OutputLine line in process.ReadLinesAsync(Sandbox.Token)) lines.Add(line.Text);

        Assert.Equal("out", lines[0]);
        Assert.True(container.IsRunning);
    }

    [Theory]
    [InlineData(Silent)]
    [InlineData(Talkative)]
    public async Task Pumped_lines_and_streams_end(string script)
    {
        await using Container container = await Sandbox.SleeperAsync();
        List<string> lines = [];
        using MemoryStream stream = new();

        ContainerResult lined = await container.NewProcess().WithCommand("sh", "-c", script).WithOutput(OutputTarget.ToLines(line => lines.Add(line.Text))).RunAsync(Sandbox.Token);
        ContainerResult streamed = await container.NewProcess().WithCommand("sh", "-c", script).WithOutput(OutputTarget.ToStream(stream)).RunAsync(Sandbox.Token);

        Assert.Equal((0, 0), (lined.ExitCode, streamed.ExitCode));
        Assert.Equal("out", lines[0]);
        Assert.True(stream.Length >= 4);
        Assert.True(container.IsRunning);
    }

    [Fact]
    public async Task A_container_in_the_hosts_pid_namespace_may_leave_one_too()
    {
        using TemporaryDirectory directory = new();
        await using Container container = await Sandbox.HostShell("sleep 1000 & echo $! > /data/survivor; echo out").WithPidNs(NamespaceSource.Host)
            .WithBind(directory.Path, "/data").WithOutput(OutputTarget.Pipe).BeginAsync();

        Assert.Equal("out\n", await container.StandardOutput.ReadToEndAsync());

        using PidDescriptor survivor = PidDescriptor.Open(int.Parse(File.ReadAllText(directory["survivor"]), System.Globalization.CultureInfo.InvariantCulture));
        Assert.True(survivor.SendSignal(Abi.SIGKILL));
    }

    [Fact]
    public async Task A_terminal_ends_with_its_program()
    {
        await using Container container = await Sandbox.SleeperAsync();
        await using ContainerProcess process = await container.NewProcess().WithCommand("sh", "-c", "trap '' HUP; sleep 1000 & echo out").WithTerminal().BeginAsync();

        Assert.Equal("out\r\n", await process.Terminal.Stream.ReadToEndAsync());
        Assert.True(container.IsRunning);
        Assert.Equal(0, (await process.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task Who_writes_to_an_input_that_only_a_survivor_holds_hears_that_the_program_has_ended()
    {
        await using Container container = await Sandbox.SleeperAsync();
        await using ContainerProcess process = await container.NewProcess().WithCommand("sh", "-c", "sleep 1000 <&0 & read answer").WithInput(InputSource.Pipe).BeginAsync();

        await process.StandardInput.SendAsync("go\n");

        LinuxException failure = await Assert.ThrowsAsync<LinuxException>(async () =>
        {
            while (true) await process.StandardInput.WriteAsync(new byte[100_000], Sandbox.Token); // more than any pipe holds
        });

        Assert.Equal(Errno.EPIPE, failure.Errno);
    }
}
