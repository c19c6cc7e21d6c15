using System.Diagnostics;
using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>What runs, whose it is, and since when.</summary>
public sealed class ListTests : IDisposable
{
    private readonly StateFixture _state = new();

    [Fact]
    public async Task A_container_is_listed_while_it_runs()
    {
        await using IsolationHost host = await _state.OpenAsync();
        DateTimeOffset before = DateTimeOffset.UtcNow;
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithHost(host));

        ContainerRecord record = Assert.Single(await host.ListAsync(Sandbox.Token));

        Assert.Equal((container.Id, container.ProcessId), (record.Id, record.ProcessId));
        Assert.Equal((Environment.ProcessId, (uint)Syscall.Invoke(SystemCall.geteuid)), (record.OwnerProcessId, record.UserId));
        Assert.Equal(["sleep", "1000"], record.Command);
        Assert.InRange(record.StartedAt, before, DateTimeOffset.UtcNow);
        Assert.False(record.IsOrphaned || record.OutlivesHost);

        await container.DisposeAsync();
        Assert.Empty(await host.ListAsync(Sandbox.Token));
        Assert.Empty(_state.Records);
    }

    [Fact]
    public async Task Containers_of_other_processes_are_listed()
    {
        (Process other, string id, int processId) = await _state.HoldAsync("attached", "sleep", "1000");
        await using IsolationHost host = await _state.OpenAsync();
        await using Container own = await Sandbox.SleeperAsync(builder => builder.WithHost(host));

        IReadOnlyList<ContainerRecord> records = await host.ListAsync(Sandbox.Token);

        Assert.Equal([(id, processId, other.Id, false), (own.Id, own.ProcessId, Environment.ProcessId, false)],
            records.Select(record => (record.Id, record.ProcessId!.Value, record.OwnerProcessId, record.IsOrphaned)).OrderBy(entry => entry.OwnerProcessId == Environment.ProcessId));
        Assert.Empty(host.Recovery.Removed);
        await StateFixture.EndsAsync(other);
    }

    [Fact]
    public async Task What_is_not_said_otherwise_is_in_the_default_host()
    {
        await using Container container = await Sandbox.SleeperAsync();

        Assert.Contains(await IsolationHost.Default.ListAsync(Sandbox.Token), record => record.Id == container.Id && record.ProcessId == container.ProcessId);

        await IsolationHost.Default.DisposeAsync();
        Assert.True(container.IsRunning);
        Assert.Same(IsolationHost.Default, IsolationHost.Default);
    }

    [Fact]
    public async Task A_program_started_later_has_a_record_where_nothing_else_ends_it()
    {
        await using IsolationHost host = await _state.OpenAsync();
        await using Container own = await Sandbox.SleeperAsync(builder => builder.WithHost(host));
        await using Container shared = await Sandbox.SleeperAsync(builder => builder.WithHost(host).WithPidNs(NamespaceSource.Host));
        await using ContainerProcess inOwn = await own.NewProcess().WithCommand("sleep", "1001").BeginAsync();
        await using ContainerProcess inShared = await shared.NewProcess().WithCommand("sleep", "1002").BeginAsync();

        IReadOnlyList<ContainerRecord> records = await host.ListAsync(Sandbox.Token);

        Assert.Equal(new int?[] { own.ProcessId, shared.ProcessId, inShared.ProcessId }.Order(), records.Select(record => record.ProcessId).Order());
        Assert.Equal(["sleep", "1002"], records.Single(record => record.ProcessId == inShared.ProcessId).Command);
    }

    [Fact]
    public async Task A_container_that_joins_another_is_listed_as_the_process_that_it_is()
    {
        await using IsolationHost host = await _state.OpenAsync();
        await using Container first = await Sandbox.SleeperAsync(builder => builder.WithHost(host));
        await using Container second = await new ContainerBuilder().WithHost(host).WithCommand("sleep", "1000").JoinNamespacesOf(first, Enum.GetValues<NamespaceKind>()).BeginAsync();

        Assert.Contains(await host.ListAsync(Sandbox.Token), record => record.Id == second.Id && record.ProcessId == second.ProcessId);
    }

    [Fact]
    public async Task A_long_command_is_cut()
    {
        await using IsolationHost host = await _state.OpenAsync();
        await using Container container = await Sandbox.Host("sh", "-c", "sleep 1000; :" + new string('x', 100_000)).WithHost(host).BeginAsync();

        ContainerRecord record = Assert.Single(await host.ListAsync(Sandbox.Token));

        Assert.Equal(3, record.Command.Count);
        Assert.InRange(record.Command[2].Length, 1000, 1024);
        Assert.EndsWith("…", record.Command[2], StringComparison.Ordinal);
    }

    public void Dispose() => _state.Dispose();
}
