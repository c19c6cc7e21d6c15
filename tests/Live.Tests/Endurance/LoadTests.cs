namespace Isolation.Live.Tests;

[Collection(nameof(Alone))]
public sealed class LoadTests
{
    [Fact]
    [Trait("Category", "Slow")]
    public async Task Two_hundred_launches_in_flight_at_once()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        ContainerSpec spec = Sandbox.HostShell("echo $$").Build();

        ContainerResult[] results = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(() => spec.RunAsync(token), token)));

        Assert.All(results, result => Assert.Equal("1", Sandbox.Output(result)));
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Two_hundred_containers_run_at_once()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        ContainerSpec spec = Sandbox.Host("sleep", "1000").Build();

        Container[] containers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => spec.StartAsync(token)));

        Assert.All(containers, container => Assert.True(container.IsRunning));
        Assert.Equal(200, containers.Select(container => container.ProcessId).Distinct().Count());
        await Task.WhenAll(containers.Select(container => container.DisposeAsync().AsTask()));
        Assert.All(containers, container => Assert.False(Directory.Exists($"/proc/{container.ProcessId}")));
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Collecting_garbage_in_the_middle_of_launches_breaks_nothing()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        DateTime end = DateTime.UtcNow.AddMinutes(1);
        using CancellationTokenSource done = new();
        Thread collector = new(() =>
        {
            while (!done.IsCancellationRequested)
            {
                GC.Collect(Random.Shared.Next(3), GCCollectionMode.Forced, blocking: true, compacting: true);
                if (DateTime.UtcNow > end) Thread.Sleep(10); // who has begun gets to his end
            }
        });
        collector.Start();
        try
        {
            await Task.WhenAll(Enumerable.Range(0, 16).Select(number => Task.Factory.StartNew(
                () =>
                {
                    do // however late it is: each launches once at least
                    {
                        ContainerBuilder builder = Sandbox.HostShell($"echo {number}").WithEnvironment("FILL", new string('x', number * 1000));
                        ContainerResult result = builder.RunAsync(token).GetAwaiter().GetResult();
                        GC.Collect();
                        Assert.Equal($"{number}", Sandbox.Output(result));
                    }
                    while (DateTime.UtcNow < end);
                },
                token, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        }
        finally
        {
            await done.CancelAsync();
            collector.Join();
        }
    }
}
