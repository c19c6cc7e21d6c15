namespace Isolation.Live.Tests;

/// <summary>Containers that live without the process that started them.</summary>
public sealed class DetachedTests : IAsyncDisposable
{
    private readonly TemporaryDirectory _state = new();
    private IsolationHost? _host;

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            foreach (string id in await _host.ListDetachedAsync(Sandbox.Token)) await (await _host.AttachAsync(id, Sandbox.Token)).RemoveAsync(force: true, Sandbox.Token);
            await _host.DisposeAsync();
        }

        _state.Dispose();
    }

    private async Task<ContainerBuilder> ShellAsync(string script)
    {
        _host ??= await IsolationHost.OpenAsync(_state.MakeDirectory("state"), Sandbox.Token);
        return Sandbox.HostShell(script).WithHost(_host);
    }

    [Fact]
    [Trait("Lane", "VM")]
    public async Task It_goes_on_when_it_is_let_go_of_and_its_end_is_told_to_whoever_asks_later()
    {
        DetachedContainer started = await (await ShellAsync("echo begun; echo wrong >&2; hostname; exec sleep 1000")).DetachAsync(new() { Id = "one" }, Sandbox.Token);
        await started.DisposeAsync();
        DetachedContainer attached = await _host!.AttachAsync("one", Sandbox.Token);
        Assert.Equal(ContainerState.Running, attached.State);
        Assert.Equal(["one"], await _host.ListDetachedAsync(Sandbox.Token));
        Assert.Equal("one", Assert.Single(await _host.ListAsync(Sandbox.Token), record => record.ProcessId == attached.ProcessId).DetachedId);
        ContainerResult inside = await attached.ExecAsync(["sh", "-c", "hostname; id -u"], Sandbox.Token);
        Assert.Equal("one\n0\n", inside.StandardOutput);

        Task<ContainerResult> end = attached.WaitAsync(Sandbox.Token);
        Assert.False(end.IsCompleted);
        attached.Signal(15); // it has no handler, and is not process 1
        ContainerResult result = await end;
        Assert.Equal(15, result.Signal);
        Assert.Equal(ContainerState.Ended, attached.State);
        Assert.Equal(0, attached.ProcessId);
        Assert.Equal(15, (await (await _host.AttachAsync("one", Sandbox.Token)).WaitAsync(Sandbox.Token)).Signal);
        Assert.Equal(["begun", "one", "wrong"], (await LinesAsync(attached)).Order());
        await attached.RemoveAsync(cancellationToken: Sandbox.Token);
        Assert.Empty(await _host.ListDetachedAsync(Sandbox.Token));
        Assert.Contains("does not exist", (await Assert.ThrowsAsync<ContainerException>(() => _host.AttachAsync("one", Sandbox.Token))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_death_of_who_started_it_changes_nothing_and_nothing_is_left_when_it_is_removed()
    {
        using StateFixture state = new();
        (System.Diagnostics.Process other, string id, int processId) = await state.HoldAsync("detached", "sh", "-c", "echo line; trap 'exit 6' TERM; while :; do sleep 0.05; done");
        await StateFixture.EndsAsync(other);
        await using IsolationHost host = await state.OpenAsync();
        await using DetachedContainer container = await host.AttachAsync(id, Sandbox.Token);
        Assert.Equal((ContainerState.Running, processId), (container.State, container.ProcessId));
        await foreach (string line in container.ReadLogAsync(follow: true, Sandbox.Token)) if (line == "line") break;
        Assert.True(container.Own(null, new()));
        Assert.Equal(6, (await container.StopAsync(cancellationToken: Sandbox.Token)).ExitCode);
        await container.RemoveAsync(cancellationToken: Sandbox.Token);
        await using IsolationHost next = await state.OpenAsync();
        Assert.Empty(state.Records);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Join(state.Path, "detached")));
        Assert.Empty(await next.ListAsync(Sandbox.Token));
    }

    [Fact]
    public async Task What_a_killed_maker_left_is_told_and_removed()
    {
        await ShellAsync("true");
        string begun = Directory.CreateDirectory(Path.Join(_host!.StateDirectory, "detached", "begun")).FullName;
        DetachedContainer container = await _host.AttachAsync("begun", Sandbox.Token);
        Assert.Equal(ContainerState.Starting, container.State);
        File.WriteAllText(Path.Join(begun, "state.json"), "{]");
        Assert.Contains("is damaged", (await Assert.ThrowsAsync<ContainerException>(() => _host.AttachAsync("begun", Sandbox.Token))).Message, StringComparison.Ordinal);
        await container.RemoveAsync(force: true, Sandbox.Token);
        Assert.False(Directory.Exists(begun));
    }

    [Theory]
    [InlineData("exit 0", 0, null)]
    [InlineData("exit 42", 42, null)]
    [InlineData("kill -9 $$", null, 9)]
    public async Task Its_exit_status_is_kept(string script, int? code, int? signal)
    {
        DetachedContainer container = await (await ShellAsync(script)).DetachAsync(cancellationToken: Sandbox.Token);
        ContainerResult result = await container.WaitAsync(Sandbox.Token);
        Assert.Equal((code, signal), (result.ExitCode, result.Signal));
        Assert.True(result.ProcessorTime > TimeSpan.Zero);
    }

    [Fact]
    public async Task It_is_stopped_with_grace_and_killed_without()
    {
        DetachedContainer polite = await (await ShellAsync("trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done")).DetachAsync(cancellationToken: Sandbox.Token);
        await foreach (string line in polite.ReadLogAsync(follow: true, Sandbox.Token)) if (line == "ready") break;
        Assert.Equal(3, (await polite.StopAsync(cancellationToken: Sandbox.Token)).ExitCode);
        DetachedContainer deaf = await (await ShellAsync("trap '' TERM; echo ready; while :; do sleep 0.05; done")).DetachAsync(cancellationToken: Sandbox.Token);
        await foreach (string line in deaf.ReadLogAsync(follow: true, Sandbox.Token)) if (line == "ready") break;
        Assert.Equal(9, (await deaf.StopAsync(TimeSpan.FromMilliseconds(100), cancellationToken: Sandbox.Token)).Signal);
        Assert.Equal(9, (await deaf.KillAsync(Sandbox.Token)).Signal);
    }

    [Fact]
    public async Task It_is_started_anew_by_its_owner_alone_as_often_as_was_said_and_not_when_it_was_stopped()
    {
        string count = _state["count"];
        DetachedContainer container = await (await ShellAsync("echo run >> /out/count; exit 1")).WithBind(_state.MakeDirectory("out"), "/out").DetachAsync(new() { Restart = RestartPolicy.OnFailure(3) with { Pause = TimeSpan.FromMilliseconds(10) } }, Sandbox.Token);
        count = _state["out/count"];
        for (int i = 0; i < 500 && (!File.Exists(count) || File.ReadAllLines(count).Length < 4); i++) await Task.Delay(20, Sandbox.Token);
        await Task.Delay(300, Sandbox.Token);
        Assert.Equal(4, File.ReadAllLines(count).Length);
        await container.RemoveAsync(force: true, Sandbox.Token);

        ContainerBuilder steady = (await ShellAsync("echo run; exec sleep 1000"));
        DetachedContainer kept = await steady.DetachAsync(new() { Id = "kept", Restart = RestartPolicy.Always with { Pause = TimeSpan.FromMilliseconds(10) } }, Sandbox.Token);
        DetachedContainer other = await _host!.AttachAsync("kept", Sandbox.Token);
        Assert.False(other.Own(null, new()));
        int first = kept.ProcessId;
        kept.Signal(9);
        for (int i = 0; i < 500 && kept.ProcessId is 0 || kept.ProcessId == first; i++) await Task.Delay(20, Sandbox.Token);
        Assert.Equal(ContainerState.Running, kept.State);
        await other.StopAsync(TimeSpan.FromMilliseconds(100), cancellationToken: Sandbox.Token);
        await Task.Delay(200, Sandbox.Token);
        Assert.Equal(ContainerState.Ended, kept.State);
        await kept.DisposeAsync();
        Assert.True(other.Own(null, new()));
    }

    [Fact]
    public async Task Its_health_is_checked_and_one_that_is_not_well_is_killed_where_that_was_said()
    {
        HealthCheck check = new(["test", "-e", "/tmp/well"]) { Interval = TimeSpan.FromMilliseconds(50), Retries = 2, Kills = true };
        DetachedContainer container = await (await ShellAsync("touch /tmp/well; exec sleep 1000")).DetachAsync(new() { Health = check }, Sandbox.Token);
        for (int i = 0; i < 500 && container.Health != HealthStatus.Healthy; i++) await Task.Delay(20, Sandbox.Token);
        Assert.Equal(HealthStatus.Healthy, (await _host!.AttachAsync(container.Id, Sandbox.Token)).Health);
        await container.ExecAsync(["rm", "/tmp/well"], Sandbox.Token);
        Assert.Equal(9, (await container.WaitAsync(Sandbox.Token)).Signal);
        Assert.Equal(HealthStatus.Unhealthy, container.Health);
    }

    [Fact]
    public async Task Its_log_is_rotated_and_no_line_is_lost_while_it_pauses()
    {
        DetachedContainer container = await (await ShellAsync("i=0; while [ $i -lt 6 ]; do i=$((i+1)); echo line $i ..........................................; sleep 0.4; done")).DetachAsync(new() { LogBytes = 60, LogFiles = 9 }, Sandbox.Token);
        await container.WaitAsync(Sandbox.Token);
        Assert.True(File.Exists(container.LogPath + ".1"));
        Assert.Equal(Enumerable.Range(1, 6).Select(i => $"line {i} .........................................."), await LinesAsync(container));
    }

    [Fact]
    [Trait("Lane", "VM")]
    public async Task It_is_limited_measured_and_paused()
    {
        Lane.RequiresRoot("a control group of one's own");
        DetachedContainer container = await (await ShellAsync("exec sleep 1000")).WithMemoryLimit(64 << 20).WithPidsLimit(20).DetachAsync(cancellationToken: Sandbox.Token);
        DetachedContainer attached = await _host!.AttachAsync(container.Id, Sandbox.Token);
        Assert.True(attached.ReadStats().Memory.Usage > 0);
        attached.UpdateLimits(new() { Pids = 30 });
        Assert.Equal(30, attached.ReadStats().Pids.Limit);
        await attached.PauseAsync(Sandbox.Token);
        Assert.Equal(ContainerState.Paused, container.State);
        attached.Resume();
        Assert.Equal(ContainerState.Running, container.State);
        await attached.RemoveAsync(force: true, Sandbox.Token);
        Assert.False(Directory.Exists(Path.GetDirectoryName(container.LogPath)));
    }

    [Fact]
    public async Task What_takes_a_process_that_is_there_and_ids_that_are_none_are_refused()
    {
        ContainerBuilder builder = await ShellAsync("true");
        Assert.Contains("a time limit", (await Assert.ThrowsAsync<InvalidOperationException>(() => builder.WithTimeout(TimeSpan.FromSeconds(1)).DetachAsync(cancellationToken: Sandbox.Token))).Message, StringComparison.Ordinal);
        foreach (string id in (string[])["", "../x", "a b", "-\n"]) await Assert.ThrowsAsync<ArgumentException>(async () => await (await ShellAsync("true")).DetachAsync(new() { Id = id }, Sandbox.Token));
        DetachedContainer first = await (await ShellAsync("exec sleep 1000")).DetachAsync(new() { Id = "taken" }, Sandbox.Token);
        Assert.Contains("'taken' exists already", (await Assert.ThrowsAsync<ContainerException>(async () => await (await ShellAsync("true")).DetachAsync(new() { Id = "taken" }, Sandbox.Token))).Message, StringComparison.Ordinal);
        Assert.Contains("runs", (await Assert.ThrowsAsync<ContainerException>(() => first.RemoveAsync(cancellationToken: Sandbox.Token))).Message, StringComparison.Ordinal);
        ContainerException missing = await Assert.ThrowsAsync<ContainerException>(async () => await new ContainerBuilder().FromHost().WithHost(_host!).WithCommand("/nothere").DetachAsync(cancellationToken: Sandbox.Token));
        Assert.Equal(ContainerErrorReason.ProgramNotFound, missing.Reason);
        Assert.Equal(["taken"], await _host!.ListDetachedAsync(Sandbox.Token));
    }

    private static async Task<List<string>> LinesAsync(DetachedContainer container)
    {
        List<string> lines = [];
        await foreach (string line in container.ReadLogAsync(cancellationToken: Sandbox.Token)) lines.Add(line);
        return lines;
    }
}
