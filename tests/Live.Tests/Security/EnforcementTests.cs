namespace Isolation.Live.Tests;

/// <summary>The report of what is in force is the kernel's.</summary>
[Trait("Lane", "VM")]
public sealed class EnforcementTests
{
    private static EnforcementEntry Entry(Container container, string feature) => Assert.Single(container.Enforcement, entry => entry.Feature == feature);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_says_what_the_kernel_says_of_the_program(bool init)
    {
        await using Container container = await Sandbox.SleeperAsync(builder =>
        {
            builder.DropAllCapabilities().AddCapability(Capability.Chown);
            if (init) builder.WithInit();
        });

        foreach ((string feature, string file) in (ReadOnlySpan<(string, string)>)[("network namespace", "net"), ("pid namespace", "pid"), ("user namespace", "user"), ("mount namespace", "mnt")])
            Assert.Contains(Processes.Namespace(container.ProcessId, file), Entry(container, feature).Detail, StringComparison.Ordinal);
        Assert.Equal("bounding set 0x1, effective 0x1, ambient 0x0", Entry(container, "capabilities").Detail);
        Assert.Equal(EnforcementState.Enforced, Entry(container, "seccomp").State);
        Assert.Contains(Lane.IsRoot ? "0 0 " : FormattableString.Invariant($"0 {HostFactsReader.Current.UserId} 1"), Entry(container, "identity map").Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_program_has_given_up_by_itself_is_seen()
    {
        await using Container container = await Sandbox.HostShell("exec setpriv --bounding-set=-all --inh-caps=-all sh -c 'echo ready; exec sleep 1000'").WithOutput(OutputTarget.Pipe).BeginAsync();
        await container.StandardOutput.ReadExactlyAsync(new byte[6], Sandbox.Token);

        Assert.StartsWith("bounding set 0x0", Entry(container, "capabilities").Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_program_that_has_ended_it_says_what_was_done()
    {
        await using Container container = await Sandbox.Host("true").BeginAsync();
        await container.WaitAsync(Sandbox.Token);

        Assert.Equal(EnforcementState.Enforced, Entry(container, "seccomp").State);
        Assert.Equal(EnforcementState.Enforced, Entry(container, "network namespace").State);
    }
}
