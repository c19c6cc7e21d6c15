using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>A program with a terminal.</summary>
public sealed class TerminalTests
{
    [Fact]
    public async Task It_is_the_containers_own_and_all_three_streams()
    {
        await using Container container = await Sandbox.HostShell("tty; stty size; ls /dev/pts; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo three").WithTerminal().BeginAsync();

        string[] lines = (await container.Terminal.Stream.ReadToEndAsync()).Split("\r\n");

        Assert.Equal(["/dev/pts/0", "24 80"], lines[..2]);
        Assert.Equal(["0", "ptmx"], lines[2].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal("three", lines[3]);
        Assert.True((await container.EndAsync()).Succeeded);
    }

    [Fact]
    public async Task It_has_the_size_that_was_asked_for_and_takes_another()
    {
        await using Container container = await Sandbox.HostShell("trap 'stty size; exit 5' WINCH; stty size; sleep 1000 & wait").WithTerminal(120, 40).BeginAsync();
        await container.Terminal.Stream.ReadUntilAsync("40 120\r\n");

        container.Terminal.Resize(132, 50);

        await container.Terminal.Stream.ReadUntilAsync("50 132\r\n");
        Assert.Equal(5, (await container.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task What_is_typed_is_read_and_the_end_key_ends_it()
    {
        await using Container container = await Sandbox.Host("cat").WithTerminal().BeginAsync();

        await container.Terminal.Stream.SendAsync("hello\n");
        await container.Terminal.Stream.ReadUntilAsync("hello\r\nhello\r\n"); // the terminal's echo, and the program's
        await container.Terminal.Stream.SendAsync("\x04");

        Assert.Equal("", await container.Terminal.Stream.ReadToEndAsync());
        Assert.Equal(0, (await container.EndAsync()).ExitCode);
        Assert.Equal(0, await container.Terminal.Stream.ReadAsync(new byte[1], Sandbox.Token));
    }

    [Fact]
    public async Task The_interrupt_key_interrupts_the_program_in_front()
    {
        await using Container container = await Sandbox.HostShell("trap : INT; cat; echo code $?").WithTerminal().BeginAsync();
        await container.Terminal.Stream.SendAsync("x\n");
        await container.Terminal.Stream.ReadUntilAsync("x\r\nx\r\n");

        await container.Terminal.Stream.SendAsync("\x03");

        await container.Terminal.Stream.ReadUntilAsync("code 130\r\n");
        Assert.Equal(0, (await container.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task The_interrupt_key_ends_a_program_beneath_an_init()
    {
        await using Container container = await Sandbox.Host("cat").WithInit().WithTerminal().BeginAsync();
        await container.Terminal.Stream.SendAsync("x\n");
        await container.Terminal.Stream.ReadUntilAsync("x\r\nx\r\n");

        await container.Terminal.Stream.SendAsync("\x03");

        ContainerResult result = await container.EndAsync();
        Assert.Equal((ContainerOutcome.Signalled, 2), (result.Outcome, result.Signal));
        Assert.Equal("^C", (await container.Terminal.Stream.ReadToEndAsync()).Trim());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_is_the_controlling_terminal(bool init)
    {
        ContainerBuilder builder = Sandbox.HostShell("ps -o tty= -p $$; echo through > /dev/tty; readlink /dev/stdout /proc/self/fd/0").WithTerminal();
        if (init) builder.WithInit();
        await using Container container = await builder.BeginAsync();

        Assert.Equal(["pts/0", "through"], (await container.Terminal.Stream.ReadToEndAsync()).Split("\r\n")[..2].Select(line => line.Trim()));
    }

    [Fact]
    public async Task It_belongs_to_the_user()
    {
        ContainerBuilder builder = Sandbox.HostShell("stat -c %u /dev/pts/0; echo opened > /dev/pts/0").WithUser(1000, 1000).WithTerminal();
        SubordinateRange.Use(builder);
        await using Container container = await builder.BeginAsync();

        Assert.Equal("1000\r\nopened\r\n", await container.Terminal.Stream.ReadToEndAsync());
    }

    [Fact]
    public async Task A_further_program_has_one_of_its_own()
    {
        await using Container container = await Sandbox.HostShell("tty; exec sleep 1000").WithTerminal().BeginAsync();
        await container.Terminal.Stream.ReadUntilAsync("/dev/pts/0\r\n");

        await using ContainerProcess process = await container.NewProcess().WithCommand("sh", "-c", "tty; stty size; echo through > /dev/tty; read a; echo $a").WithTerminal(100, 30).BeginAsync();
        await process.Terminal.Stream.ReadUntilAsync("/dev/pts/1\r\n30 100\r\nthrough\r\n");
        await process.Terminal.Stream.SendAsync("typed\n");

        Assert.Equal("typed\r\ntyped\r\n", await process.Terminal.Stream.ReadToEndAsync());
        Assert.Equal(0, (await process.EndAsync()).ExitCode);
        Assert.True(container.IsRunning);
    }

    [Fact]
    public async Task Much_output_arrives_whole()
    {
        await using Container container = await Sandbox.Host("seq", "100000").WithTerminal().BeginAsync();

        Assert.Equal(string.Concat(Enumerable.Range(1, 100_000).Select(number => $"{number}\r\n")), await container.Terminal.Stream.ReadToEndAsync());
    }

    [Fact]
    public async Task It_takes_the_place_of_the_streams()
    {
        ContainerBuilder[] builders =
        [
            Sandbox.Host("true").WithTerminal().WithInput(InputSource.Pipe),
            Sandbox.Host("true").WithTerminal().WithOutput(OutputTarget.Pipe),
            Sandbox.Host("true").WithError(OutputTarget.Discard).WithTerminal(),
        ];
        foreach (ContainerBuilder builder in builders) Assert.Contains("WithTerminal", Assert.Throws<InvalidOperationException>(builder.Build).Message, StringComparison.Ordinal);
        await using Container container = await Sandbox.SleeperAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => container.NewProcess().WithCommand("true").WithTerminal().WithInput(InputSource.Pipe).BeginAsync());
        Assert.Contains("WithTerminal", Assert.Throws<InvalidOperationException>(() => container.Terminal).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sizes_that_cannot_be_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Sandbox.Host("true").WithTerminal(0, 24));
        Assert.Throws<ArgumentOutOfRangeException>(() => Sandbox.Host("true").WithTerminal(80, 65_536));
        Container container = await Sandbox.Host("cat").WithTerminal().BeginAsync();
        Assert.Throws<ArgumentOutOfRangeException>(() => container.Terminal.Resize(80, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => container.Terminal.Resize(65_536, 24));

        await container.DisposeAsync();

        Assert.Throws<ObjectDisposedException>(() => container.Terminal.Resize(80, 24));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => container.Terminal.Stream.ReadAsync(new byte[1], Sandbox.Token).AsTask());
    }

    [Fact]
    public async Task Unattended_what_it_shows_is_the_results_output()
    {
        ContainerResult result = await Sandbox.HostShell("tty; seq 20000; echo err >&2").WithTerminal().ResultAsync();

        Assert.Equal("/dev/pts/0\r\n" + string.Concat(Enumerable.Range(1, 20_000).Select(number => $"{number}\r\n")) + "err\r\n", result.StandardOutput);
        Assert.Equal("", result.StandardError);
    }

    [Fact]
    public async Task A_launch_that_fails_lets_go_of_it()
    {
        ContainerLaunch launch = ContainerLaunch.Begin(Sandbox.Host("no-such-program").WithTerminal().Build(), Sandbox.Token);

        await Assert.ThrowsAsync<ContainerException>(() => launch.Started);

        Assert.True(((DescriptorStream)launch.Terminal!.Stream).IsClosed);
        Assert.IsType<ContainerException>(await Record.ExceptionAsync(() => launch.Terminal.Stream.ReadAsync(new byte[1], Sandbox.Token).AsTask()));
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_reported_as_without_one() =>
        Assert.Equal(ContainerErrorReason.ProgramNotFound, (await Sandbox.Host("no-such-program").WithTerminal().RefusalAsync()).Reason);
}
