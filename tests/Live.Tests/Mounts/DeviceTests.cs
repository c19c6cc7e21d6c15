namespace Isolation.Live.Tests;

/// <summary>/dev of the container's own.</summary>
public sealed class DeviceTests
{
    [Fact]
    public async Task It_holds_exactly_what_programs_expect() =>
        Assert.Equal(
            ["fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"],
            await Sandbox.HostShell("LC_ALL=C ls -A /dev").LinesAsync());

    [Fact]
    public async Task The_devices_are_what_their_names_say()
    {
        string script = """
            stat -L -c '%n %t:%T %a' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty
            echo gone > /dev/null; head -c 3 /dev/zero | od -An -tx1; head -c 8 /dev/urandom | wc -c
            head -c 1 /dev/zero > /dev/full
            """;
        ContainerResult result = await Sandbox.HostShell(script).ResultAsync();

        string[] lines = result.StandardOutput.TrimEnd('\n').Split('\n');
        Assert.Equal(["/dev/null 1:3 666", "/dev/zero 1:5 666", "/dev/full 1:7 666", "/dev/random 1:8 666", "/dev/urandom 1:9 666", "/dev/tty 5:0 666", " 00 00 00", "8"], lines);
        Assert.Contains("No space left on device", result.StandardError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Standard_streams_can_be_opened_by_name()
    {
        ContainerResult result = await Sandbox.HostShell("echo out > /dev/stdout; echo err > /dev/stderr; cat /dev/stdin; cat /dev/fd/0").ResultAsync();

        Assert.Equal(("out\n", "err\n", 0), (result.StandardOutput, result.StandardError, result.ExitCode));
    }

    [Fact]
    public async Task A_terminal_can_be_opened()
    {
        // script(1) opens /dev/ptmx and runs the command on the other side.
        string output = await Sandbox.Host("script", "-qec", "tty", "/dev/null").OutputAsync();

        Assert.Equal("/dev/pts/0", output.Trim());
    }

    [Fact]
    public async Task No_device_can_be_made()
    {
        ContainerResult result = await Sandbox.Host("mknod", "/tmp/device", "c", "1", "3").ResultAsync();

        Assert.Contains("Operation not permitted", result.StandardError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task There_is_no_controlling_terminal_of_the_hosts()
    {
        ContainerResult result = await Sandbox.HostShell("echo x > /dev/tty").ResultAsync();

        Assert.Contains("No such device or address", result.StandardError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_the_hosts_user_namespace_it_is_the_same()
    {
        Lane.RequiresRoot("the host's user namespace");
        ContainerBuilder builder = Sandbox.HostShell("LC_ALL=C ls -A /dev; stat -c '%t:%T %a' /dev/null; echo x > /dev/null").WithUserNs(NamespaceSource.Host);

        string[] lines = await builder.LinesAsync();

        Assert.Equal(15, lines.Length);
        Assert.Equal("1:3 666", lines[^1]);
    }
}
