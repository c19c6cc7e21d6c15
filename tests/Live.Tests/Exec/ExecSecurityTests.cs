namespace Isolation.Live.Tests;

/// <summary>What a further program brings with it into a container: nothing.</summary>
public sealed class ExecSecurityTests
{
    private const string Privileges = "grep -E '^(Cap|NoNewPrivs|Seccomp|Groups)' /proc/self/status";

    [Fact]
    public async Task It_has_the_standard_streams_and_nothing_else()
    {
        await using Container container = await Sandbox.SleeperAsync();

        Assert.Equal("0\n1\n2", await container.ExecShellAsync("ls /proc/$$/fd"));
    }

    [Theory]
    [InlineData("default")]
    [InlineData("none")]
    [InlineData("more")]
    public async Task It_has_the_privileges_of_the_first_program(string which)
    {
        ContainerBuilder builder = Sandbox.HostShell(Privileges + "; echo ready; exec sleep 1000").WithOutput(OutputTarget.Pipe);
        if (which == "none") builder.DropAllCapabilities();
        if (which == "more") builder.AddCapability(Capability.SysAdmin).AllowNewPrivileges();
        await using Container container = await builder.BeginAsync();
        string first = (await container.StandardOutput.ReadUntilAsync("ready\n")).Replace("\nready\n", "", StringComparison.Ordinal);
        Assert.Contains("CapEff", first, StringComparison.Ordinal);

        Assert.Equal(first, await container.ExecShellAsync(Privileges));
    }

    [Fact]
    public async Task It_can_be_given_less()
    {
        await using Container container = await Sandbox.SleeperAsync();

        string output = await container.NewProcess().WithCommand("grep", "-E", "^Cap(Eff|Bnd)", "/proc/self/status").DropAllCapabilities().OutputAsync();

        Assert.Equal("CapEff:\t0000000000000000\nCapBnd:\t0000000000000000", output);
    }

    [Fact]
    public async Task It_is_traceable_by_nobody_while_it_enters()
    {
        // All that anybody inside can see of any process, over and over, while others enter.
        const string Watch = "echo ready; while ! [ -e /tmp/stop ]; do readlink /proc/[0-9]*/fd/* /proc/[0-9]*/exe /proc/[0-9]*/cwd /proc/[0-9]*/root; done 2>/dev/null | sort -u > /tmp/seen; cat /tmp/seen";
        await using Container container = await Sandbox.SleeperAsync(builder => builder.AddCapability(Capability.SysPtrace));
        await using ContainerProcess watcher = await container.NewProcess().WithCommand("sh", "-c", Watch).WithOutput(OutputTarget.Pipe).BeginAsync();
        await watcher.StandardOutput.ReadUntilAsync("ready\n");

        for (int i = 0; i < 100; i++) Assert.True((await container.ExecAsync(["cat", "/dev/null"], Sandbox.Token)).Succeeded);
        await container.ExecShellAsync("touch /tmp/stop");
        string[] seen = (await watcher.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Contains("/usr/bin/sleep", seen); // it does see who runs
        Assert.All(seen, link => Assert.DoesNotMatch("memfd|socket:|anon_inode|ns:|net:\\[|user:\\[|mnt:\\[|pid:\\[", link));
    }
}
