namespace Isolation.Live.Tests;

/// <summary>Many launches, one after the other and at once, and nothing is left of them.</summary>
[Collection(nameof(Alone))]
public sealed class LeakTests
{
    [Fact]
    public async Task A_hundred_launches_leave_nothing_behind() => await LaunchAsync(100, atOnce: 4);

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Two_thousand_launches_leave_nothing_behind() => await LaunchAsync(2_000, atOnce: 4);

    [Fact]
    public async Task Launches_that_fail_leave_nothing_behind()
    {
        ContainerSpec[] specs =
        [
            Sandbox.Host("no-such-program").Build(),
            Sandbox.Host("true").WithWorkingDirectory("/no/such/directory").Build(),
            Sandbox.Host("true").WithTimeOffsets(TimeSpan.FromDays(-36_500), TimeSpan.Zero).Build(),
            Sandbox.Host("true").WithUser("nobody-here").Build(),
            Sandbox.Host("true").WithUtsNs(NamespaceSource.FromPath("/dev/null")).Build(),
        ];
        foreach (ContainerSpec spec in specs) await Assert.ThrowsAsync<ContainerException>(() => spec.RunAsync(Sandbox.Token));
        HostState before = HostState.Read();

        for (int i = 0; i < 20; i++)
            foreach (ContainerSpec spec in specs) await Assert.ThrowsAsync<ContainerException>(() => spec.RunAsync(Sandbox.Token));

        await before.ReturnsAsync();
    }

    [Fact]
    public async Task Containers_that_join_others_leave_nothing_behind()
    {
        await using Container first = await Sandbox.SleeperAsync();
        ContainerSpec spec = new ContainerBuilder().WithCommand("true").JoinNamespacesOf(first, Enum.GetValues<NamespaceKind>()).Build();
        Assert.True((await spec.RunAsync(Sandbox.Token)).Succeeded);
        HostState before = HostState.Read();

        for (int i = 0; i < 50; i++) Assert.True((await spec.RunAsync(Sandbox.Token)).Succeeded);

        await before.ReturnsAsync();
    }

    private static async Task LaunchAsync(int count, int atOnce)
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        ContainerSpec spec = Sandbox.HostShell("echo out; echo err >&2").Build();
        await Parallel.ForAsync(0, 20, token, async (_, cancel) => await spec.RunAsync(cancel)); // what a process makes once is made
        HostState before = HostState.Read();
        string[] threads = OwnThreads();

        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = token }, async (_, cancel) =>
        {
            await using Container container = await spec.StartAsync(cancel);
            ContainerResult result = await container.WaitAsync(cancel);
            Assert.Equal((0, "out\n", "err\n"), (result.ExitCode, result.StandardOutput, result.StandardError));
        });

        await before.ReturnsAsync();
        Assert.Equal(threads, OwnThreads());
    }

    /// <summary>The threads that the library made; those of the runtime's pool come and go.</summary>
    private static string[] OwnThreads()
    {
        string[] names = [.. Directory.GetDirectories("/proc/self/task").Select(task => File.ReadAllText(task + "/comm").TrimEnd()).Where(name => name.StartsWith("isolation", StringComparison.Ordinal)).Order()];
        Assert.NotEmpty(names);
        return names;
    }
}
