namespace Isolation.Live.Tests;

[Collection(nameof(Alone))]
public sealed class CancellationTests
{
    [Fact]
    public async Task Before_it_starts_nothing_is_made()
    {
        HostState before = HostState.Read();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Sandbox.Host("true").StartAsync(new CancellationToken(canceled: true)));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Sandbox.Host("true").RunAsync(new CancellationToken(canceled: true)));

        before.IsUnchanged();
    }

    [Fact]
    public async Task At_any_moment_of_the_launch_it_leaves_nothing()
    {
        await CancelAsync(Sandbox.Host("true").Build());
    }

    [Fact]
    public async Task At_any_moment_of_a_launch_with_a_second_process_it_leaves_nothing()
    {
        await using Container first = await Sandbox.SleeperAsync();
        await CancelAsync(new ContainerBuilder().WithCommand("true").JoinNamespacesOf(first, Enum.GetValues<NamespaceKind>()).Build());
    }

    [Fact]
    public async Task After_it_has_started_the_token_kills_it()
    {
        await Sandbox.Host("true").OutputAsync();
        HostState before = HostState.Read();
        using CancellationTokenSource source = new();
        Container container = await Sandbox.Host("sleep", "1000").StartAsync(source.Token);

        await source.CancelAsync();

        Assert.Equal(Isolation.Linux.Abi.SIGKILL, (await container.EndAsync()).Signal);
        await before.ReturnsAsync();
    }

    [Fact]
    public async Task A_run_that_is_cancelled_is_cancelled()
    {
        using CancellationTokenSource source = new();
        Task<ContainerResult> run = Sandbox.HostShell("echo up; sleep 1000").RunAsync(source.Token);

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }

    private static async Task CancelAsync(ContainerSpec spec)
    {
        Assert.True((await spec.RunAsync(Sandbox.Token)).Succeeded); // what a process makes once is made
        HostState before = HostState.Read();
        Random random = new(20_26);
        int cancelled = 0, ran = 0;
        for (int i = 0; i < 300; i++)
        {
            using CancellationTokenSource source = new();
            Task<ContainerResult> run = spec.RunAsync(source.Token);
            int spins = random.Next(0, 10_000);
            long until = System.Diagnostics.Stopwatch.GetTimestamp() + spins * System.Diagnostics.Stopwatch.Frequency / 1_000_000;
            while (System.Diagnostics.Stopwatch.GetTimestamp() < until) Thread.SpinWait(10);
            await source.CancelAsync();
            try
            {
                Assert.True((await run).Succeeded);
                ran++;
            }
            catch (OperationCanceledException exception)
            {
                Assert.Equal(source.Token, exception.CancellationToken);
                cancelled++;
            }
        }

        Assert.True(cancelled > 0, $"{ran} launches were over before they were cancelled");
        await before.ReturnsAsync();
    }
}
