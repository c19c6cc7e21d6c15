using System.Diagnostics;
using Isolation.Images;
using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>What becomes of containers when the process that started them ends.</summary>
public sealed class OutliveHostTests : IDisposable
{
    private readonly StateFixture _state = new();

    [Theory]
    [InlineData("attached")]
    [InlineData("attached,hostpid")]
    public async Task Attached_containers_are_gone_after_the_next_opening(string options)
    {
        (Process other, string id, int processId) = await _state.HoldAsync(options, "sleep", "1000");
        ulong start = ProcessStartTime.Read(processId)!.Value;
        await StateFixture.EndsAsync(other);

        await using IsolationHost host = await _state.OpenAsync();

        Assert.False(StateFixture.IsAlive((processId, start)));
        Assert.Equal(id, Assert.Single(host.Recovery.Removed).Id);
        Assert.Empty(host.Recovery.SetAside.Concat(host.Recovery.Left));
        Assert.Single(_state.Owners);
        Assert.Empty(_state.Records);
    }

    [Fact]
    public async Task A_copy_of_the_recovered_owners_lock_does_not_make_it_live()
    {
        (Process other, _, int processId) = await _state.HoldAsync("outlive", "sleep", "1000");
        await StateFixture.EndsAsync(other);
        string owner = Assert.Single(_state.Owners);
        List<FileDescriptor> copies = [];

        // What a process that is being forked has, until it executes.
        await using IsolationHost host = IsolationHost.Open(_state.Path, isDefault: false, _ => copies.AddRange(CopiesOf(owner)), Sandbox.Token);

        Assert.NotEmpty(copies);
        Assert.True(Assert.Single(await host.ListAsync(Sandbox.Token)).IsOrphaned);
        foreach (FileDescriptor copy in copies) copy.Dispose();
        using (PidDescriptor descriptor = PidDescriptor.Open(processId)) descriptor.SendSignal(9);
        await Processes.EndsAsync(processId);

        static IEnumerable<FileDescriptor> CopiesOf(string path) => Directory.GetFileSystemEntries("/proc/self/fd")
            .Where(entry => new FileInfo(entry).LinkTarget == path)
            .Select(entry => (int)Syscall.fcntl(int.Parse(Path.GetFileName(entry), System.Globalization.CultureInfo.InvariantCulture), Abi.F_DUPFD_CLOEXEC, 3))
            .Where(number => number >= 0).Select(number => new FileDescriptor(number)).ToArray();
    }

    [Fact]
    public async Task One_that_outlives_its_host_runs_on_until_it_ends()
    {
        (Process other, string id, int processId) = await _state.HoldAsync("outlive", "sleep", "1000");
        await StateFixture.EndsAsync(other);

        await using IsolationHost host = await _state.OpenAsync();

        ContainerRecord record = Assert.Single(await host.ListAsync(Sandbox.Token));
        Assert.Equal((id, processId, true, true), (record.Id, record.ProcessId, record.IsOrphaned, record.OutlivesHost));
        Assert.Empty(host.Recovery.Removed);

        using (PidDescriptor descriptor = PidDescriptor.Open(processId)) descriptor.SendSignal(9);
        await Processes.EndsAsync(processId);
        Assert.Empty(await host.ListAsync(Sandbox.Token));
        await using IsolationHost next = await _state.OpenAsync();
        Assert.Equal((id, 0), (Assert.Single(next.Recovery.Removed).Id, next.Recovery.ProcessesKilled));
        Assert.Equal(2, _state.Owners.Length);
    }

    [Fact]
    public async Task Its_image_is_kept_until_it_ends()
    {
        using TemporaryDirectory directory = new();
        using ImageArchive archive = await ImageArchive.MakeAsync("localhost/outlives:1", "{}", second => second.Write("share/file", "of the image"));
        ImageStore store = await ImageStore.OpenAsync(directory["store"], cancellationToken: Sandbox.Token);
        await store.LoadAsync(archive.Path, cancellationToken: Sandbox.Token);
        (Process other, _, int processId) = await _state.HoldAsync($"outlive,image:{store.Path}=localhost/outlives:1", "sleep", "1000");
        await StateFixture.EndsAsync(other);
        await store.RemoveAsync(ImageReference.Parse("localhost/outlives:1"), Sandbox.Token);

        await store.CollectAsync(Sandbox.Token);

        Assert.Equal(2, (await store.GetUsageAsync(Sandbox.Token)).Layers);
        Assert.Equal("of the image", File.ReadAllText($"/proc/{processId}/root/share/file"));

        using (PidDescriptor descriptor = PidDescriptor.Open(processId)) descriptor.SendSignal(9);
        await Processes.EndsAsync(processId);
        CollectionResult collected = await store.CollectAsync(Sandbox.Token);
        Assert.Equal((4, 2), (collected.Blobs, collected.Layers));
        Assert.Empty(Directory.GetFiles(Path.Join(store.Path, "isolation/leases")));
    }

    [Fact]
    public async Task An_image_that_is_disposed_of_here_is_kept_for_nobody()
    {
        using TemporaryDirectory directory = new();
        using ImageArchive archive = await ImageArchive.MakeAsync("localhost/outlives:1", "{}");
        ImageStore store = await ImageStore.OpenAsync(directory["store"], cancellationToken: Sandbox.Token);
        Image image = (await store.LoadAsync(archive.Path, cancellationToken: Sandbox.Token)).Single();
        UnpackedImage unpacked = await store.UnpackAsync(image, Sandbox.Token);
        string[] Leases() => Directory.GetFiles(Path.Join(store.Path, "isolation/leases"));
        await using IsolationHost host = await _state.OpenAsync();
        Container container = await new ContainerBuilder().FromImage(unpacked).WithCommand("sleep", "1000").WithHost(host).OutliveHost()
            .WithOutput(OutputTarget.Discard).WithError(OutputTarget.Discard).BeginAsync();
        Assert.Equal(2, Leases().Length);

        await container.DisposeAsync();

        Assert.Single(Leases());
        unpacked.Release();
        Assert.Empty(Leases());
    }

    [Fact]
    public async Task Recovery_kills_what_the_death_signal_missed()
    {
        (Process other, _, int processId) = await _state.HoldAsync("outlive", "sh", "-c", "trap '' TERM HUP; sleep 1000 & sleep 1000");
        string record = Assert.Single(_state.Records);
        File.WriteAllText(record, File.ReadAllText(record).Replace("\"outlivesHost\":true", "\"outlivesHost\":false", StringComparison.Ordinal));
        await StateFixture.EndsAsync(other);
        Assert.True(Directory.Exists($"/proc/{processId}"));

        await using IsolationHost host = await _state.OpenAsync();

        await Processes.EndsAsync(processId);
        Assert.Equal(1, host.Recovery.ProcessesKilled);
        Assert.Empty(_state.Records);
    }

    [Fact]
    public async Task Disposing_it_kills_it()
    {
        await using IsolationHost host = await _state.OpenAsync();
        Container container = await Sandbox.Host("sleep", "1000").WithHost(host).OutliveHost().WithOutput(OutputTarget.Discard).WithError(OutputTarget.Discard).BeginAsync();

        await container.DisposeAsync();

        await Processes.EndsAsync(container.ProcessId);
        Assert.Empty(_state.Records);
    }

    [Fact]
    public async Task Disposing_the_host_kills_what_is_attached_and_spares_what_outlives_it()
    {
        IsolationHost host = await _state.OpenAsync();
        Container attached = await Sandbox.SleeperAsync(builder => builder.WithHost(host));
        await using Container outliving = await Sandbox.Host("sleep", "1000").WithHost(host).OutliveHost().WithOutput(OutputTarget.Discard).WithError(OutputTarget.Discard).BeginAsync();
        ContainerSpec spec = Sandbox.Host("true").WithHost(host).Build();

        await host.DisposeAsync();
        await host.DisposeAsync();

        Assert.False(attached.IsRunning);
        Assert.Equal(ContainerOutcome.KilledWithHost, (await attached.WaitAsync(Sandbox.Token)).Outcome);
        Assert.True(outliving.IsRunning);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => spec.RunAsync(Sandbox.Token));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => host.ListAsync(Sandbox.Token));
        Assert.EndsWith(outliving.Id + ".jsonl", Assert.Single(_state.Records), StringComparison.Ordinal);
        await outliving.KillAsync(Sandbox.Token);
        Assert.Empty(_state.Owners);
    }

    [Fact]
    public async Task One_that_joins_another_and_outlives_its_host_is_recorded_before_it_runs()
    {
        await using IsolationHost host = await _state.OpenAsync();
        await using Container first = await Sandbox.SleeperAsync(builder => builder.WithHost(host));
        await using Container second = await new ContainerBuilder().WithHost(host).WithCommand("sleep", "1000").JoinNamespacesOf(first, Enum.GetValues<NamespaceKind>())
            .OutliveHost().WithOutput(OutputTarget.Discard).WithError(OutputTarget.Discard).BeginAsync();

        ContainerRecord record = (await host.ListAsync(Sandbox.Token)).Single(record => record.Id == second.Id);
        Assert.Equal((second.ProcessId, true), (record.ProcessId, record.OutlivesHost));
    }

    [Fact]
    public async Task A_program_that_ends_by_itself_leaves_no_owner_behind()
    {
        (Process other, _, int processId) = await _state.HoldAsync("attached,dispose", "sleep", "1000");
        await other.StandardInput.WriteLineAsync();
        await other.WaitForExitAsync(Sandbox.Token);

        await Processes.EndsAsync(processId);
        Assert.Equal(0, other.ExitCode);
        Assert.Empty(_state.Owners);
    }

    [Fact]
    public void Output_to_the_host_contradicts_it()
    {
        ContainerBuilder builder = Sandbox.Host("true").OutliveHost();

        Assert.Throws<InvalidOperationException>(builder.Build);
        Assert.Throws<InvalidOperationException>(builder.WithOutput(OutputTarget.Discard).WithError(OutputTarget.Pipe).Build);
        Assert.NotNull(builder.WithError(OutputTarget.SameAsOutput).Build());
        Assert.Throws<InvalidOperationException>(builder.WithTerminal().Build);
    }

    public void Dispose() => _state.Dispose();
}
