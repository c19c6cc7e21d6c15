using System.Diagnostics;
using System.Globalization;
using Isolation.Linux;
using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>What an opening does with what it finds.</summary>
public sealed class RecoveryTests : IDisposable
{
    private readonly StateFixture _state = new();

    [Fact]
    public async Task A_process_of_a_dead_owner_is_killed()
    {
        var (first, second) = (_state.Sleeper(), _state.Sleeper());
        _state.MakeDeadOwner(("a.jsonl", StateFixture.Record("a", processes: [first, second])));

        await using IsolationHost host = await _state.OpenAsync();

        Assert.False(StateFixture.IsAlive(first) || StateFixture.IsAlive(second));
        Assert.Equal(("a", 2), (Assert.Single(host.Recovery.Removed).Id, host.Recovery.ProcessesKilled));
        Assert.Single(_state.Owners);
    }

    [Theory]
    [InlineData(-30)]
    [InlineData(30)]
    public async Task A_clock_that_jumped_by_years_changes_nothing(int years)
    {
        (int ProcessId, ulong StartTime) process = _state.Sleeper(), other = _state.Sleeper();
        DateTimeOffset started = DateTimeOffset.UtcNow.AddYears(years);
        _state.MakeDeadOwner(
            ("a.jsonl", StateFixture.Record("a", started: started, processes: [process])),
            ("b.jsonl", StateFixture.Record("b", started: started, processes: [(other.ProcessId, other.StartTime - 1)])));

        await using IsolationHost host = await _state.OpenAsync();

        Assert.False(StateFixture.IsAlive(process));
        Assert.True(StateFixture.IsAlive(other));
        Assert.Equal(2, host.Recovery.Removed.Count);
    }

    [Fact]
    public async Task A_number_that_was_given_to_another_process_is_left_alone()
    {
        var (processId, startTime) = _state.Sleeper();
        _state.MakeDeadOwner(("a.jsonl", StateFixture.Record("a", processes: [(processId, startTime - 1)])), ("b.jsonl", StateFixture.Record("b", outlives: true, processes: [(processId, startTime + 1)])));

        await using IsolationHost host = await _state.OpenAsync();

        Assert.True(StateFixture.IsAlive((processId, startTime)));
        Assert.Equal((2, 0), (host.Recovery.Removed.Count, host.Recovery.ProcessesKilled));
        Assert.Empty(await host.ListAsync(Sandbox.Token));
    }

    [Fact]
    public async Task A_process_of_an_earlier_boot_is_left_alone()
    {
        var process = _state.Sleeper();
        _state.MakeDeadOwner(("a.jsonl", StateFixture.Record("a", outlives: true, scope: HostScope.Current with { Boot = "another" }, processes: [process])));

        await using IsolationHost host = await _state.OpenAsync();

        Assert.True(StateFixture.IsAlive(process));
        Assert.Equal((1, 0), (host.Recovery.Removed.Count, host.Recovery.ProcessesKilled));
        Assert.Single(_state.Owners);
    }

    [Fact]
    public async Task Records_of_other_namespaces_are_left_and_told_of()
    {
        var process = _state.Sleeper();
        HostScope here = HostScope.Current;
        string owner = _state.MakeDeadOwner(
            ("a.jsonl", StateFixture.Record("a", scope: here with { PidNamespace = 1 }, processes: [process])),
            ("b.jsonl", StateFixture.Record("b", scope: here with { TimeNamespace = 1 }, processes: [process])));

        await using IsolationHost host = await _state.OpenAsync();

        Assert.True(StateFixture.IsAlive(process));
        Assert.Equal([Path.Join(owner, "a.jsonl"), Path.Join(owner, "b.jsonl")], host.Recovery.Left.Select(finding => finding.Path).Order());
        Assert.Equal(2, Directory.GetFiles(owner).Length);
    }

    [Fact]
    public async Task What_was_not_finished_when_the_owner_died_means_nothing()
    {
        var process = _state.Sleeper();
        string record = StateFixture.Record("c", processes: [process]);
        _state.MakeDeadOwner(("a.jsonl", ""), ("b.jsonl", StateFixture.Record("b")[..^1]), ("c.jsonl", record[..^1]), ("d.jsonl", StateFixture.Record("d")));

        await using IsolationHost host = await _state.OpenAsync();

        Assert.True(StateFixture.IsAlive(process));
        Assert.Equal(["c", "d"], host.Recovery.Removed.Select(removed => removed.Id).Order());
        Assert.Empty(host.Recovery.SetAside.Concat(host.Recovery.Left));
        Assert.Single(_state.Owners);
    }

    [Fact]
    public async Task What_cannot_be_understood_is_kept_aside()
    {
        var process = _state.Sleeper();
        string newer = StateFixture.Record("newer", version: 2, processes: [process]);
        string unknown = StateFixture.Record("unknown", processes: [process]) + """{"kind":"flux","parameters":{}}""" + "\n";
        (string Name, string Text)[] files =
        [
            ("a.jsonl", "{}\n"), ("b.jsonl", "garbage\n"), ("c.jsonl", newer), ("d.jsonl", unknown), ("e.jsonl", "\n"), ("notes.txt", "mine"),
            ("f.jsonl", StateFixture.Record("f") + """{"kind":"process","parameters":{"pid":"1","start":"1"}}""" + "\n"),
        ];
        string owner = _state.MakeDeadOwner(files);
        File.CreateSymbolicLink(Path.Join(owner, "link.jsonl"), "/etc/passwd");
        Directory.CreateDirectory(Path.Join(owner, "directory"));

        await using IsolationHost host = await _state.OpenAsync();

        Assert.True(StateFixture.IsAlive(process));
        Assert.Empty(host.Recovery.Removed);
        Assert.Equal(files.Length + 2, host.Recovery.SetAside.Count);
        foreach ((string name, string text) in files)
            Assert.Equal(text, File.ReadAllText(host.Recovery.SetAside.Single(finding => finding.Path.EndsWith("-" + name, StringComparison.Ordinal)).Path));
        Assert.Contains("version 2", host.Recovery.SetAside.Single(finding => finding.Path.EndsWith("-c.jsonl", StringComparison.Ordinal)).Reason, StringComparison.Ordinal);
        Assert.Contains("'flux'", host.Recovery.SetAside.Single(finding => finding.Path.EndsWith("-d.jsonl", StringComparison.Ordinal)).Reason, StringComparison.Ordinal);
        Assert.Single(_state.Owners);
        await using IsolationHost next = await _state.OpenAsync();
        Assert.Empty(next.Recovery.SetAside);
    }

    [Fact]
    public async Task A_recovery_that_is_killed_is_finished_by_the_next()
    {
        int steps = int.MaxValue;
        for (int before = 0; before <= steps; before++)
        {
            (int, ulong)[] processes = [_state.Sleeper(), _state.Sleeper()];
            _state.MakeDeadOwner(
                ("a.jsonl", StateFixture.Record("a", processes: processes[0])),
                ("b.jsonl", StateFixture.Record("b", processes: processes[1])),
                ("c.jsonl", ""),
                ("d.jsonl", "damaged\n"));

            (int exitCode, string output, string error) = await Sandbox.OnHostAsync(NestedProgram.Path, "state", "die", _state.Path, before.ToString(CultureInfo.InvariantCulture));
            if (exitCode == 0) steps = int.Parse(output, CultureInfo.InvariantCulture);
            else Assert.Equal((137, "", ""), (exitCode, output, error));

            await using IsolationHost host = await _state.OpenAsync();
            Assert.DoesNotContain(processes, StateFixture.IsAlive);
            Assert.Empty(host.Recovery.Left);
            Assert.Single(_state.Owners);
            Assert.Empty(_state.Records);
            Assert.Equal(before + 1, _state.Aside.Length);
        }

        Assert.InRange(steps, 9, 100);
    }

    [Fact]
    public async Task Of_many_who_open_at_once_one_recovers_and_all_find_it_done()
    {
        for (int round = 0; round < 5; round++)
        {
            (int, ulong)[] processes = [.. Enumerable.Range(0, 5).Select(_ => _state.Sleeper())];
            foreach ((int, ulong) process in processes) _state.MakeDeadOwner(("a.jsonl", StateFixture.Record("a", processes: process)));
            Task<(int ExitCode, string Output, string Error)>[] others = [.. Enumerable.Range(0, 2).Select(_ => Sandbox.OnHostAsync(NestedProgram.Path, "state", "open", _state.Path))];
            Task<HostRecovery>[] own = [.. Enumerable.Range(0, 8).Select(_ => RecoverAsync(processes))];

            int removed = (await Task.WhenAll(own)).Sum(recovery => recovery.Removed.Count);
            foreach ((int exitCode, string output, string error) in await Task.WhenAll(others))
            {
                Assert.Equal((0, ""), (exitCode, error));
                string[] counts = output.Split(' ');
                Assert.Equal("0", counts[3].Trim());
                removed += int.Parse(counts[0], CultureInfo.InvariantCulture);
            }

            Assert.Equal(5, removed);
            Assert.Empty(_state.Owners);
        }
    }

    [Fact]
    public async Task A_lock_that_the_dead_owners_child_holds_for_a_moment_is_waited_for()
    {
        var process = _state.Sleeper();
        string owner = _state.MakeDeadOwner(("a.jsonl", StateFixture.Record("a", processes: process)));
        using FileDescriptor directory = FileDescriptor.Open(owner, Abi.O_RDONLY);
        Assert.True(FileLock.TryTake(directory));

        Task<IsolationHost> opening = _state.OpenAsync();
        while (_state.Owners.Length < 2) await Task.Delay(1, Sandbox.Token); // it has made its own, and so looked for the dead
        Assert.False(opening.IsCompleted);
        directory.Dispose();

        await using IsolationHost host = await opening;
        Assert.False(StateFixture.IsAlive(process));
        Assert.Single(host.Recovery.Removed);
    }

    [Fact]
    public async Task A_cancelled_opening_leaves_nothing_of_its_own()
    {
        string owner = _state.MakeDeadOwner(("a.jsonl", StateFixture.Record("a")));
        using FileDescriptor directory = FileDescriptor.Open(owner, Abi.O_RDONLY);
        Assert.True(FileLock.TryTake(directory));
        using CancellationTokenSource source = new();
        Task<IsolationHost> opening = IsolationHost.OpenAsync(_state.Path, source.Token);
        while (_state.Owners.Length < 2) await Task.Delay(1, Sandbox.Token);

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening);
        Assert.Equal([owner], _state.Owners);
    }

    public void Dispose() => _state.Dispose();

    private async Task<HostRecovery> RecoverAsync((int, ulong)[] processes)
    {
        await using IsolationHost host = await _state.OpenAsync();
        Assert.DoesNotContain(processes, StateFixture.IsAlive);
        return host.Recovery;
    }
}
