namespace Isolation.Live.Tests;

/// <summary>Many records, and nothing is left of them.</summary>
[Collection(nameof(Alone))]
public sealed class StateLeakTests : IDisposable
{
    private readonly StateFixture _state = new();

    [Fact]
    public async Task Two_hundred_launches_at_once_leave_an_empty_directory()
    {
        await using IsolationHost host = await _state.OpenAsync();
        ContainerSpec spec = Sandbox.Host("true").WithHost(host).Build();
        Assert.True((await spec.RunAsync(Sandbox.Token)).Succeeded);
        HostState before = HostState.Read();

        ContainerResult[] results = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => spec.RunAsync(TestContext.Current.CancellationToken)));

        Assert.All(results, result => Assert.True(result.Succeeded));
        Assert.Empty(_state.Records);
        Assert.Single(_state.Owners);
        await before.ReturnsAsync();
    }

    [Fact]
    public async Task Opening_and_disposing_leaves_nothing_open()
    {
        await RecoverAsync(); // what the runtime loads for the first is loaded
        HostState before = HostState.Read();

        for (int i = 0; i < 20; i++) await RecoverAsync();

        await before.ReturnsAsync();
        Assert.Empty(_state.Owners);
    }

    private async Task RecoverAsync()
    {
        using StateFixture.Stranger stranger = StateFixture.StartStranger();
        _state.MakeDeadOwner(("a.jsonl", StateFixture.Record("a", processes: stranger.Identity)), ("b.jsonl", "damaged\n"));
        await using IsolationHost host = await _state.OpenAsync();
        Assert.Single(host.Recovery.Removed);
        Assert.False(StateFixture.IsAlive(stranger.Identity));
    }

    [Fact]
    public async Task No_descriptor_of_it_reaches_a_container()
    {
        await using IsolationHost host = await _state.OpenAsync();

        string links = await Sandbox.HostShell("ls -l /proc/self/fd").WithHost(host).OutputAsync();

        Assert.DoesNotContain(_state.Path, links, StringComparison.Ordinal);
        Assert.All(Directory.GetFiles("/proc/self/fd").Where(link => new FileInfo(link).LinkTarget?.StartsWith(_state.Path, StringComparison.Ordinal) == true), link =>
            Assert.Contains("02", CloseOnExec(link), StringComparison.Ordinal));
    }

    // proc_pid_fdinfo(5): O_CLOEXEC, octal 02000000, is among the flags.
    private static string CloseOnExec(string link)
    {
        string flags = File.ReadLines("/proc/self/fdinfo/" + Path.GetFileName(link)).First(line => line.StartsWith("flags:", StringComparison.Ordinal));
        return (Convert.ToInt64(flags[6..].Trim(), 8) & Isolation.Linux.Abi.O_CLOEXEC) != 0 ? "02" : flags;
    }

    public void Dispose() => _state.Dispose();
}
