using System.Diagnostics;
using Isolation.Launch;
using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation.Live.Tests;

/// <summary>Containers on layers, whoever unites them.</summary>
[Trait("Lane", "VM")]
public sealed class UnionDriverRootTests : IDisposable
{
    private readonly TestRoot _base = new(parent: Lane.Disk);
    private readonly TemporaryDirectory _layers = new(Lane.Disk);
    private readonly StateFixture _state = new();

    public static TheoryData<string> Drivers => ["Automatic", "Overlay", "FuseOverlay", "Copy"];

    public static TheoryData<UnionDriver> OnDisk => [UnionDriver.FuseOverlay, UnionDriver.Copy];

    public void Dispose()
    {
        _state.Dispose();
        _layers.Dispose();
        _base.Dispose();
    }

    [Theory, MemberData(nameof(Drivers))]
    public async Task It_sees_all_layers_and_leaves_them_and_nothing_else(string who)
    {
        UnionDriver? driver = Named(who);
        _base.Write("file", "lower");
        _base.Write("gone", "lower");
        _layers.Write("1/file", "upper");
        string[] before = [.. TreeSnapshot.Of(_base.Path), .. TreeSnapshot.Of(_layers.Path)];

        Container container = await StartAsync("cat /file; rm /gone; echo mine > /data/new; grep -c localhost /etc/hosts; id -u; stat -c %u /file; test -d /proc/1 && echo ends", driver);
        await using (container)
        {
            Assert.Equal("upper2\n0\n0\nends", Sandbox.Output(await container.WaitAsync(Sandbox.Token)));
            string[] changes = [.. (await container.DiffAsync(Sandbox.Token)).Where(change => change.Kind != UnionChangeKind.Modified).Select(change => change.ToString()).Order(StringComparer.Ordinal)];
            Assert.Equal(["A /data/new", "D /gone"], changes);
            EnforcementEntry entry = Assert.Single(container.Enforcement, entry => entry.Feature == "union of layers");
            if (driver is not null) Assert.StartsWith($"{driver}: ", entry.Detail, StringComparison.Ordinal);
            bool isOnDisk = !entry.Detail.StartsWith("Overlay: overlayfs", StringComparison.Ordinal);
            Assert.Equal(isOnDisk, Directory.Exists(LaunchDirectory.PathOf(container.Id)));
        }

        Assert.False(Directory.Exists(LaunchDirectory.PathOf(container.Id)));
        Assert.DoesNotContain(container.Id, await File.ReadAllTextAsync("/proc/self/mountinfo", Sandbox.Token), StringComparison.Ordinal);
        string[] after = [.. TreeSnapshot.Of(_base.Path), .. TreeSnapshot.Of(_layers.Path)];
        Assert.Equal(before, after);
    }

    [Theory, MemberData(nameof(Drivers))]
    public async Task Read_only_it_is_complete_and_cannot_be_written(string who)
    {
        UnionDriver? driver = Named(who);
        _layers.Write("1/file", "upper");
        ContainerBuilder builder = Builder("cat /file; touch /data/x 2> /dev/null || echo refused; touch /tmp/x && echo private", driver, RootAccess.ReadOnly);

        Assert.Equal("upperrefused\nprivate", await builder.OutputAsync());
    }

    [Theory, MemberData(nameof(OnDisk))]
    public async Task What_a_killed_host_left_is_removed_by_the_next(UnionDriver driver)
    {
        Refused(driver);
        (Process host, string id, int processId) = await _state.HoldAsync($"layers:{driver}:{_base.Path}", "sleep", "1000");
        Assert.True(Directory.Exists(LaunchDirectory.PathOf(id)));
        host.Kill();
        await StateFixture.EndsAsync(host);
        await Processes.EndsAsync(processId);

        await using IsolationHost next = await _state.OpenAsync();

        Assert.Equal(id, Assert.Single(next.Recovery.Removed).Id);
        Assert.Empty(next.Recovery.Left);
        Assert.False(Directory.Exists(LaunchDirectory.PathOf(id)));
    }

    [Theory, MemberData(nameof(OnDisk))]
    public async Task A_launch_that_fails_or_is_cancelled_leaves_nothing(UnionDriver driver)
    {
        Refused(driver);
        ListLogger log = new(Microsoft.Extensions.Logging.LogLevel.Debug);
        await using IsolationHost host = await _state.OpenAsync();
        await Assert.ThrowsAsync<ContainerException>(() => Builder("true", driver).WithHost(host).WithLogger(log).WithCommand("/no-such-program").RunAsync(Sandbox.Token));
        using CancellationTokenSource cancelled = new();
        Task<Container> starting = Builder("true", driver).WithHost(host).WithLogger(log).StartAsync(cancelled.Token);
        await cancelled.CancelAsync();
        try
        {
            await (await starting).DisposeAsync();
        }
        catch (OperationCanceledException)
        {
            // or it had started by then
        }

        string[] ids = [.. log.Records.Where(record => record.Event.Id == 10).Select(record => (string)record.Properties["Container"]!)];
        Assert.Equal(2, ids.Length);
        Assert.All(ids, id => Assert.False(Directory.Exists(LaunchDirectory.PathOf(id))));
        Assert.Empty(_state.Records);
    }

    [Fact]
    public async Task Containers_with_different_identity_maps_share_layers_that_belong_to_root_in_each()
    {
        Lane.RequiresRoot("identity maps of mounts take CAP_SYS_ADMIN over the file system");
        Assert.SkipUnless(Environment.OSVersion.Version >= new Version(5, 19), "identity maps of overlay layers are of Linux 5.19");
        _layers.Write("1/file", "shared");
        _layers.Write("1/copied", "up, and not changed");
        string[] before = [.. TreeSnapshot.Of(_base.Path), .. TreeSnapshot.Of(_layers.Path)];
        const string Script = ": >> /copied; stat -c %u:%g /file /bin/busybox /data; id -u; echo mine > /data/new; echo more >> /file; chown 5:5 /data/new; stat -c %u:%g /data/new; cat /file";
        Container[] containers = await Task.WhenAll(((uint[])[100000, 300000]).Select(first =>
            Builder(Script, null).WithUserMapping(new IdMapping(0, first, 65536)).WithGroupMapping(new IdMapping(0, first, 65536)).StartAsync(Sandbox.Token)));
        foreach (Container container in containers)
        {
            await using (container)
            {
                string output = Sandbox.Output(await container.WaitAsync(Sandbox.Token));
                EnforcementEntry? unmapped = container.Enforcement.FirstOrDefault(entry => entry.Feature == "owners of the layers");
                Assert.SkipWhen(unmapped is not null, unmapped?.Detail ?? "");
                Assert.Equal("0:0\n0:0\n0:0\n0\n5:5\nsharedmore", output);
                Assert.Contains("identity map", container.Enforcement.Single(entry => entry.Feature == "union of layers").Detail, StringComparison.Ordinal);
                Assert.Equal(["A /data/new", "C /data", "C /file"], (await container.DiffAsync(Sandbox.Token)).Select(change => change.ToString()).Order(StringComparer.Ordinal));
            }
        }

        string[] after = [.. TreeSnapshot.Of(_base.Path), .. TreeSnapshot.Of(_layers.Path)];
        Assert.Equal(before, after);
    }

    [Theory, MemberData(nameof(Drivers))]
    public async Task A_layer_that_is_kept_is_there_for_the_next_and_one_at_a_time_has_it(string who)
    {
        UnionDriver? driver = Named(who);
        string kept = _layers["kept/layer"];
        _base.Write("gone", "lower");
        await using (Container first = await StartAsync("echo 1 > /data/new; rm /gone; echo ready; read end", driver, builder => builder.WithLayerDirectory(kept).WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe)))
        {
            await first.StandardOutput.ReadUntilAsync("ready");
            ContainerException busy = await Assert.ThrowsAsync<ContainerException>(() => Builder("true", driver).WithLayerDirectory(kept).RunAsync(Sandbox.Token));
            Assert.Contains("in use", busy.Message, StringComparison.Ordinal);
        }

        Assert.Equal("1\ngone", await Builder("cat /data/new; test -e /gone || echo gone", driver).WithLayerDirectory(kept).OutputAsync());

        // What is in it must not lead the next launch out of its root.
        string victim = _layers.Write("victim/hosts", "the host's"), etc = Path.Join(kept, driver == UnionDriver.Copy ? "tree/etc" : "upper/etc");
        if (Directory.Exists(etc)) Directory.Delete(etc, recursive: true);
        Directory.CreateDirectory(Path.Join(Path.GetDirectoryName(etc), Path.GetDirectoryName(victim))); // where the link leads in the container
        File.CreateSymbolicLink(etc, Path.GetDirectoryName(victim)!);
        Assert.Equal(Path.GetDirectoryName(victim), await Builder("readlink /etc", driver).WithLayerDirectory(kept).OutputAsync());
        Assert.Equal("the host's", await File.ReadAllTextAsync(victim, Sandbox.Token));
        Assert.False(File.Exists(_base["data/new"]));

        // Overlayfs's own directory in it may not be read, which .NET wants to.
        using FileDescriptor parent = FileDescriptor.Open(Path.GetDirectoryName(kept)!, Abi.O_RDONLY);
        TreeRemoval.Remove(parent, FileName.Of(Path.GetFileName(kept)));
    }

    [Fact]
    public void What_cannot_be_is_told_before_anything_is_made()
    {
        ContainerBuilder directory = new ContainerBuilder().FromDirectory(_base.Path).WithCommand("true");
        Assert.Contains("WithUnionDriver", Assert.Throws<InvalidOperationException>(() => directory.WithUnionDriver(UnionDriver.Copy).Build()).Message, StringComparison.Ordinal);
        Assert.Contains("Layered", Assert.Throws<InvalidOperationException>(() => Builder("true", null, RootAccess.ReadOnly).WithLayerDirectory(_layers["x"]).Build()).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => directory.WithUnionDriver((UnionDriver)99));
        Assert.Contains("OutliveHost", Assert.Throws<InvalidOperationException>(() => Builder("true", null).WithUnionDriver(UnionDriver.FuseOverlay).OutliveHost().WithOutput(OutputTarget.Discard).WithError(OutputTarget.Discard).Build()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_driver_that_is_not_here_fails_the_start_with_what_helps()
    {
        Assert.SkipWhen(UnionFileSystems.Probe().Single(support => support.Driver == UnionDriver.Aufs).IsAvailable, "this kernel has AUFS");
        ContainerException exception = await Assert.ThrowsAsync<ContainerException>(() => Builder("true", UnionDriver.Aufs).RunAsync(Sandbox.Token));
        Assert.Equal(ContainerErrorReason.MountFailed, exception.Reason);
        Assert.Contains("Aufs", exception.Message, StringComparison.Ordinal);
        Assert.NotNull(exception.Remedy);
    }

    [Fact]
    public async Task A_quota_of_a_kept_layer_that_its_file_system_has_not_is_refused()
    {
        ContainerBuilder builder = Builder("true", null).WithLayerDirectory(_layers["limited"], 1 << 20);
        ContainerException exception = await Assert.ThrowsAsync<ContainerException>(() => builder.RunAsync(Sandbox.Token));
        Assert.SkipUnless(exception.Reason == ContainerErrorReason.LimitRefused, exception.Message);
        Assert.Contains("prjquota", exception.Remedy, StringComparison.Ordinal);
    }

    private static UnionDriver? Named(string who) => who == "Automatic" ? null : Enum.Parse<UnionDriver>(who);

    private Task<Container> StartAsync(string script, UnionDriver? driver, Action<ContainerBuilder>? change = null)
    {
        ContainerBuilder builder = Builder(script, driver);
        change?.Invoke(builder);
        return builder.StartAsync(Sandbox.Token);
    }

    private ContainerBuilder Builder(string script, UnionDriver? driver, RootAccess access = RootAccess.Layered)
    {
        ContainerBuilder builder = new ContainerBuilder().FromLayers([_base.Path, _layers.MakeDirectory("1")], access).WithCommand("sh", "-c", script);
        if (driver is not { } named) return builder;
        Refused(named);
        return builder.WithUnionDriver(named);
    }

    private static void Refused(UnionDriver driver)
    {
        UnionSupport support = UnionFileSystems.Probe().Single(support => support.Driver == driver);
        // Who may not mount one himself has one in the container's user namespace, from Linux 5.11 on.
        if (driver == UnionDriver.Overlay) Assert.SkipUnless(support.IsAvailable || Environment.OSVersion.Version >= new Version(5, 11), support.Reason);
        else if (driver != UnionDriver.Aufs) Assert.SkipUnless(support.IsAvailable, support.Reason);
    }
}
