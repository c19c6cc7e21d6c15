using Isolation.Nested;

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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_is_in_nobodys_reach_while_it_enters(bool terminal)
    {
        // CVE-2016-9962, CVE-2019-5736: a process of the container, with every capability that may help it, tries to open
        // and trace whatever enters.
        await using Container container = await NestedProgram.Container("watch", "/tmp/stop").AddCapability(Capability.SysPtrace).AddCapability(Capability.SysAdmin)
            .AddCapability(Capability.DacReadSearch).AddCapability(Capability.DacOverride).WithOutput(OutputTarget.Pipe).BeginAsync();
        await container.StandardOutput.ReadUntilAsync("ready\n");

        for (int i = 0; i < 100; i++)
        {
            ExecBuilder builder = container.NewProcess().WithCommand("cat", "/dev/null");
            ContainerResult result = await (terminal ? builder.WithTerminal() : builder).RunAsync(Sandbox.Token);
            Assert.True(result.Succeeded, $"{i}: {result}");
        }

        Assert.True((await container.ExecAsync(["touch", "/tmp/stop"], Sandbox.Token)).Succeeded);
        string[] lines = (await container.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Single(lines); // nothing but the sum
        Assert.Matches("^met [1-9][0-9]* traced ", lines[0]); // it did see who enters
        Assert.Contains("/usr/bin/cat", lines[0], StringComparison.Ordinal);
    }
}
