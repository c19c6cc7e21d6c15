using System.Globalization;
using Isolation.Linux;
using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>Eight threads do whatever can be done with a hundred containers, and in the end all is as it was.</summary>
[Collection(nameof(Alone))]
public sealed class SoakTests : IDisposable
{
    private const int Containers = 100, Workers = 8;
    private const long MoreHeap = 24 << 20; // what tables and caches keep after so many containers at once; not more with time
    private readonly StateFixture _state = new();
    private readonly TemporaryDirectory _scratch = new();

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Random_operations_leave_nothing_behind()
    {
        TimeSpan duration = TimeSpan.FromSeconds(double.Parse(Setting("ISOLATION_SOAK_SECONDS", "20"), CultureInfo.InvariantCulture));
        int seed = int.Parse(Setting("ISOLATION_SOAK_SEED", Random.Shared.Next().ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
        IsolationHost host = await _state.OpenAsync();
        await WorkAsync(host, seed, TimeSpan.FromSeconds(5)); // what a process makes once is made
        HostState before = HostState.Read();
        Counts counted = Counts.Read();

        string operations = await WorkAsync(host, seed, duration);

        await before.ReturnsAsync($"seed {seed}, {duration}\n{operations}");
        Counts after = Counts.Read();
        string report = $"seed {seed}, {duration}\nbefore {counted}\nafter  {after}\n{operations}";
        TestContext.Current.TestOutputHelper!.WriteLine(report);
        Assert.True(after.Registrations == counted.Registrations, report);
        Assert.True(after.OwnThreads == counted.OwnThreads, report);
        Assert.True(after.Heap - counted.Heap < MoreHeap, report);
        Assert.Empty(_state.Records);
        Assert.Single(_state.Owners);
        await host.DisposeAsync();
        Assert.Empty(_state.Owners);
        Assert.Empty(FaultGroups.Of(_state.Path));
        FaultGroups.RemoveParents(_state.Path);
        Assert.DoesNotContain(Directory.GetFiles(_scratch.Path), file => Path.GetFileName(file) != "output");
    }

    public void Dispose()
    {
        _state.Dispose();
        _scratch.Dispose();
    }

    private async Task<string> WorkAsync(IsolationHost host, int seed, TimeSpan duration)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        stop.CancelAfter(duration);
        await using RandomLife life = new(host, _scratch.Path, Containers, seed, FaultGroups.For(_state.Path));
        await life.WorkAsync(Workers, stop.Token);
        return string.Join('\n', life.Counts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Value,9} {pair.Key}"));
    }

    private static string Setting(string name, string otherwise) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : otherwise;

    /// <summary>What <see cref="HostState"/> does not count. Threads of the runtime's pool come and go.</summary>
    private sealed record Counts(int Threads, int OwnThreads, int Registrations, long Heap)
    {
        internal static Counts Read()
        {
            for (int i = 0; i < 2; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            int own = Directory.GetDirectories("/proc/self/task").Count(task => Name(task).StartsWith("isolation", StringComparison.Ordinal));
            return new(HostState.Threads(), own, DescriptorEvents.Shared.Table.Count, GC.GetTotalMemory(forceFullCollection: true));
        }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Threads} threads ({OwnThreads} of the library), {Registrations} registrations, {Heap / 1024} KiB of heap");

        private static string Name(string task)
        {
            try
            {
                return File.ReadAllText(task + "/comm");
            }
            catch (IOException)
            {
                return ""; // it has ended since it was listed
            }
        }
    }
}
