namespace Isolation.Live.Tests;

/// <summary>What a program used.</summary>
public sealed class UsageTests
{
    private const long MiB = 1 << 20;
    private const string Large = "head -c 450000000 /dev/zero | tail -c 440000000 > /dev/null";
    private const string Work = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Processor_time_is_the_programs(bool init)
    {
        ContainerResult idle = await RunAsync("true", init), busy = await RunAsync(Work, init);

        Assert.InRange(busy.ProcessorTime, TimeSpan.FromMilliseconds(50), busy.Elapsed * Environment.ProcessorCount);
        Assert.InRange(idle.ProcessorTime, TimeSpan.Zero, busy.ProcessorTime);
    }

    [Fact]
    public async Task With_an_init_orphans_count_for_nobody()
    {
        // The orphan works and ends before the program does, which takes no time itself.
        ContainerResult result = await RunAsync($"mkfifo /tmp/f; (sh -c '{Work}; echo > /tmp/f' &); read line < /tmp/f", init: true);

        Assert.InRange(result.ProcessorTime, TimeSpan.Zero, (await RunAsync(Work, init: true)).ProcessorTime / 2);
    }

    [Fact]
    public async Task Peak_memory_is_the_programs_and_not_its_makers()
    {
        Assert.InRange((await RunAsync("true", init: true)).PeakMemoryBytes!.Value, 1, 16 * MiB);
        Assert.InRange((await RunAsync(Large, init: true)).PeakMemoryBytes!.Value, 400 * MiB, 700 * MiB);
    }

    [Fact]
    public async Task Peak_memory_below_this_processs_own_is_not_told_without_an_init()
    {
        Assert.Null((await RunAsync("true", init: false)).PeakMemoryBytes);
        Assert.True((await RunAsync(Large, init: false)).PeakMemoryBytes is null or > 400 * MiB);
    }

    [Fact]
    public async Task Peak_memory_of_a_further_program_is_its_own()
    {
        await using Container container = await Sandbox.SleeperAsync();

        Assert.InRange((await container.ExecAsync(["true"], Sandbox.Token)).PeakMemoryBytes!.Value, 1, 16 * MiB);
    }

    private static Task<ContainerResult> RunAsync(string script, bool init)
    {
        ContainerBuilder builder = Sandbox.HostShell(script);
        if (init) builder.WithInit();
        return builder.ResultAsync();
    }
}
