using Isolation.Linux;
using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>Where the records are, and what happens where they cannot be.</summary>
public sealed class StateDirectoryTests : IDisposable
{
    private readonly StateFixture _state = new();
    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public async Task It_is_made_for_its_owner_alone()
    {
        await using IsolationHost host = await IsolationHost.OpenAsync(_directory["a/b/state"], Sandbox.Token);

        Assert.Equal(_directory["a/b/state"], host.StateDirectory);
        Assert.Equal((UnixFileMode)0x1C0, File.GetUnixFileMode(host.StateDirectory));
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithHost(host));
        string record = Assert.Single(Directory.GetFiles(host.StateDirectory, "*.jsonl", SearchOption.AllDirectories));
        Assert.Equal((UnixFileMode)0x180, File.GetUnixFileMode(record));
    }

    [Fact]
    public async Task A_relative_path_is_made_absolute()
    {
        string relative = Path.GetRelativePath(Environment.CurrentDirectory, _directory["relative"]);
        await using IsolationHost host = await IsolationHost.OpenAsync(relative, Sandbox.Token);

        Assert.Equal(_directory["relative"], host.StateDirectory);
        Assert.True(Directory.Exists(_directory["relative/owners"]));
    }

    [Fact]
    public async Task The_usual_place_is_this_users()
    {
        await using IsolationHost host = await IsolationHost.OpenAsync(cancellationToken: Sandbox.Token);

        string[] places = [.. StateLocation.Candidates((uint)Syscall.Invoke(SystemCall.geteuid), Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR")).Select(place => place.Path)];
        Assert.Contains(host.StateDirectory, places);
        Assert.Equal(host.StateDirectory, IsolationHost.Default.StateDirectory);
    }

    [Fact]
    public void A_place_that_somebody_has_taken_is_passed_over()
    {
        uint user = (uint)Syscall.Invoke(SystemCall.geteuid);
        string mine = _directory.MakeDirectory("mine");
        File.CreateSymbolicLink(_directory["link"], mine);
        File.SetUnixFileMode(_directory.MakeDirectory("open"), (UnixFileMode)0x1FF);
        _directory.Write("file", "");
        (string, string?)[] taken = [(_directory["link"], null), (_directory["open"], null), (_directory["file"], null), ("/proc/isolation", null), (_directory["none/isolation"], _directory["none"])];

        (string path, FileDescriptor directory) = StateLocation.OpenFirst([.. taken, (_directory["mine"], null)], user);
        directory.Dispose();
        Assert.Equal(mine, path);
        Assert.Equal([_directory["mine/owners"]], Directory.GetDirectories(mine));

        ContainerException exception = Assert.Throws<ContainerException>(() => StateLocation.OpenFirst(taken, user));
        Assert.Equal(ContainerErrorReason.StateUnavailable, exception.Reason);
        foreach ((string candidate, _) in taken) Assert.Contains($"'{candidate}'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("others may write to it (mode 777)", exception.Message, StringComparison.Ordinal);
        Assert.Contains("WithHost", exception.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_place_of_another_user_is_passed_over()
    {
        uint user = (uint)Syscall.Invoke(SystemCall.geteuid);
        ContainerException exception = Assert.Throws<ContainerException>(() => StateLocation.OpenFirst([(_directory.MakeDirectory("theirs"), null), (_directory["x"], _directory.Path)], user + 1));

        Assert.Contains($"it belongs to user {user}, and this process is user {user + 1}", exception.Message, StringComparison.Ordinal);
        Assert.Contains($"XDG_RUNTIME_DIR belongs to user {user}", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chosen_path_that_others_can_write_to_is_refused()
    {
        File.SetUnixFileMode(_directory.MakeDirectory("open"), (UnixFileMode)0x1FF);

        ContainerException exception = await Assert.ThrowsAsync<ContainerException>(() => IsolationHost.OpenAsync(_directory["open"], Sandbox.Token));

        Assert.Equal(ContainerErrorReason.StateUnavailable, exception.Reason);
        await Assert.ThrowsAsync<ContainerException>(() => IsolationHost.OpenAsync(_directory.Write("file", ""), Sandbox.Token));
        await Assert.ThrowsAsync<ContainerException>(() => IsolationHost.OpenAsync(_directory["file/below"], Sandbox.Token));
    }

    [Fact]
    public async Task Removed_while_it_is_used_it_stops_launches_before_they_make_anything()
    {
        await using IsolationHost host = await _state.OpenAsync();
        ContainerSpec spec = Sandbox.Host("true").WithHost(host).Build();
        Assert.True((await spec.RunAsync(Sandbox.Token)).Succeeded);
        Directory.Delete(host.StateDirectory, recursive: true);

        ContainerException exception = await Assert.ThrowsAsync<ContainerException>(() => spec.RunAsync(Sandbox.Token));

        Assert.Equal((ContainerErrorReason.StateUnavailable, Errno.ENOENT), (exception.Reason, exception.Errno));
        Assert.Contains(host.StateDirectory, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Moved_while_it_is_used_it_goes_on()
    {
        await using IsolationHost host = await _state.OpenAsync();
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithHost(host));
        Directory.Move(_state.Path, _directory["moved"]);

        Assert.Equal(container.Id, Assert.Single(await host.ListAsync(Sandbox.Token)).Id);
        await container.DisposeAsync();
        Assert.True((await Sandbox.Host("true").WithHost(host).ResultAsync()).Succeeded);
        Assert.Empty(Directory.GetFiles(_directory["moved"], "*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(256 << 10, null)]
    [InlineData(1 << 20, 12L)]
    public async Task Full_it_stops_launches_before_they_make_anything(long size, long? inodes)
    {
        // In a container, where anybody may mount a small file system.
        ContainerResult result = await NestedProgram.Container("state", "full", "/data").WithTmpfs("/data", new TmpfsOptions { SizeBytes = size, Inodes = inodes }).ResultAsync();

        Assert.Equal("StateUnavailable ENOSPC True\n0 0\n0", Sandbox.Output(result));
    }

    [Fact]
    public async Task A_launch_that_fails_leaves_no_record()
    {
        await using IsolationHost host = await _state.OpenAsync();

        await Assert.ThrowsAsync<ContainerException>(() => Sandbox.Host("no-such-program").WithHost(host).RunAsync(Sandbox.Token));
        await Assert.ThrowsAsync<ContainerException>(() => Sandbox.Host("true").WithHost(host).WithUtsNs(NamespaceSource.FromPath("/dev/null")).RunAsync(Sandbox.Token));

        Assert.Empty(_state.Records);
    }

    public void Dispose()
    {
        _state.Dispose();
        _directory.Dispose();
    }
}
