using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>A container in its caller's hands.</summary>
public sealed class ContainerTests
{
    [Fact]
    public async Task A_kill_ends_it_and_a_second_does_nothing()
    {
        await using Container container = await Sandbox.SleeperAsync();
        Assert.True(container.IsRunning);

        await container.KillAsync(Sandbox.Token);

        Assert.False(container.IsRunning);
        Assert.Equal(Abi.SIGKILL, (await container.EndAsync()).Signal);
        await container.KillAsync(Sandbox.Token);
        await Processes.EndsAsync(container.ProcessId);
    }

    [Fact]
    public async Task Disposing_ends_it_once()
    {
        Container container = await Sandbox.SleeperAsync();

        await Task.WhenAll(container.DisposeAsync().AsTask(), container.DisposeAsync().AsTask());
        await container.DisposeAsync();

        Assert.False(container.IsRunning);
        Assert.Equal(Abi.SIGKILL, (await container.EndAsync()).Signal);
    }

    [Fact]
    public async Task Disposing_what_has_ended_keeps_the_result()
    {
        Container container = await Sandbox.HostShell("echo out; exit 3").BeginAsync();
        ContainerResult result = await container.EndAsync();

        await container.DisposeAsync();

        Assert.Same(result, await container.EndAsync());
        Assert.Equal((3, "out\n"), (result.ExitCode, result.StandardOutput));
    }

    [Fact]
    public async Task All_who_wait_get_the_one_result()
    {
        await using Container container = await Sandbox.SleeperAsync();
        Task<ContainerResult>[] waiters = [.. Enumerable.Range(0, 100).Select(_ => container.EndAsync())];

        await container.KillAsync(Sandbox.Token);

        ContainerResult[] results = await Task.WhenAll(waiters);
        Assert.All(results, result => Assert.Same(results[0], result));
    }

    [Fact]
    public async Task A_wait_can_be_given_up_and_the_container_runs_on()
    {
        await using Container container = await Sandbox.SleeperAsync();
        using CancellationTokenSource source = new();
        Task<ContainerResult> wait = container.WaitAsync(source.Token);

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => container.WaitAsync(new CancellationToken(canceled: true)));
        Assert.True(container.IsRunning);
    }

    [Fact]
    public async Task One_spec_starts_any_number_at_once()
    {
        ContainerSpec spec = Sandbox.HostShell("cat /proc/sys/kernel/hostname; echo $$ > /tmp/own").Build();

        ContainerResult[] results = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => spec.RunAsync(Sandbox.Token)));

        Assert.Equal(30, results.Select(Sandbox.Output).Distinct().Count());
    }

    [Fact]
    public async Task What_was_applied_is_listed()
    {
        await using Container container = await Sandbox.Host("true").WithNetNs(NamespaceSource.Host).BeginAsync();

        foreach (NamespaceKind kind in Enum.GetValues<NamespaceKind>())
        {
            EnforcementEntry entry = Assert.Single(container.Enforcement, entry => entry.Feature == kind.ToString().ToLowerInvariant() + " namespace");
            Assert.Equal(kind == NamespaceKind.Network ? EnforcementState.Shared : EnforcementState.Enforced, entry.State);
            Assert.NotEmpty(entry.Detail);
        }

        Assert.Contains(container.Enforcement, entry => entry is { Feature: "no_new_privs", State: EnforcementState.Enforced });
        Assert.Contains(container.Enforcement, entry => entry is { Feature: "capabilities", State: EnforcementState.Enforced });
    }

    [Fact]
    public async Task An_explanation_names_the_steps_and_makes_nothing()
    {
        using TestRoot root = new(mountPoints: false);
        string[] before = TreeSnapshot.Of(root.Path);

        string text = root.Container(RootAccess.ReadWrite, "echo", "hello").WithHostName("named").Explain();

        foreach (string part in (string[])["pivot_root(\".\", \".\")", "mount the private /proc", "sethostname(\"named\"", "forbid new privileges", "execve(\"/bin/echo\"", root.Path])
            Assert.Contains(part, text, StringComparison.Ordinal);
        Assert.Equal(before, TreeSnapshot.Of(root.Path));
        await root.Container(RootAccess.ReadWrite, "echo", "hello").OutputAsync();
    }

    [Fact]
    public async Task Started_means_that_the_program_runs()
    {
        await using Container container = await Sandbox.SleeperAsync();

        Assert.Equal("sleep", File.ReadAllText($"/proc/{container.ProcessId}/comm").TrimEnd());
    }
}
