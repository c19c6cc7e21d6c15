using Isolation.Launch;
using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation.Live.Tests;

/// <summary>Directories that many containers share as the layers of their root.</summary>
[Trait("Lane", "VM")]
public sealed class LayersRootTests : IDisposable
{
    private readonly TestRoot _base = new();
    private readonly TemporaryDirectory _layers = new();

    public void Dispose()
    {
        _layers.Dispose();
        _base.Dispose();
    }

    [Fact]
    public async Task A_higher_layer_hides_changes_and_adds()
    {
        _base.Write("changed", "lower");
        _base.Write("gone", "lower");
        _base.Write("data/lower", "lower");
        _layers.Write("1/changed", "middle");
        _layers.Write("1/data/middle", "middle");
        _layers.Write("2/changed", "upper");
        _layers.Write("2/data/upper", "upper");
        using (FileDescriptor two = FileDescriptor.Open(_layers["2"], Abi.O_RDONLY)) Assert.Equal(0, OverlayForm.MakeWhiteout(two, "gone\0"u8));
        bool opaque;
        using (FileDescriptor data = FileDescriptor.Open(_layers["2/data"], Abi.O_RDONLY))
        {
            nint made = OverlayForm.MakeOpaque(data);
            opaque = made == 0;
            Assert.True(opaque || Syscall.Is(made, Errno.EOPNOTSUPP), $"{made}"); // tmpfs before Linux 6.6, as in the virtual machine
        }

        string output = await Shell("cat /changed; ls /gone 2> /dev/null || echo gone; ls /data", _layers["1"], _layers["2"]).OutputAsync();

        // Mounted by the host, root's own spelling is read; so it is in a copy.
        bool hidden = opaque || Environment.OSVersion.Version < new Version(5, 11);
        Assert.Equal(hidden ? "uppergone\nupper" : "uppergone\nlower\nmiddle\nupper", output);
    }

    [Fact]
    public async Task What_one_writes_no_other_sees_and_the_layers_stay_as_they_are()
    {
        _layers.Write("1/file", "1");
        string[] before = [.. TreeSnapshot.Of(_base.Path), .. TreeSnapshot.Of(_layers.Path)];
        await using Container first = await Shell("echo mine > /file; rm /bin/true; echo done; read end", _layers["1"]).WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe).StartAsync(Sandbox.Token);
        await first.StandardOutput.ReadUntilAsync("done");

        Assert.Equal("1", await Shell("cat /file; true", _layers["1"]).OutputAsync());

        await first.DisposeAsync();
        string[] after = [.. TreeSnapshot.Of(_base.Path), .. TreeSnapshot.Of(_layers.Path)];
        Assert.Equal(before, after);
    }

    [Fact]
    public async Task What_it_wrote_is_there_when_it_has_ended_until_it_is_disposed()
    {
        await using Container container = await Shell("echo mine > /new; rm /data/gone", Write("1/data/gone")).StartAsync(Sandbox.Token);
        await container.WaitAsync(Sandbox.Token);
        FileDescriptor layer = container.Launch.Layer!;

        Assert.Equal("mine\n", ContainedPath.ReadAllText(layer, "new", 100));
        using (FileDescriptor data = ContainedPath.Open(layer, "data", Abi.O_RDONLY))
        {
            Assert.Equal(0, FileEntries.Status(data, "gone\0"u8, out FileStatus status));
            Assert.True(OverlayForm.IsWhiteout(status));
        }

        await container.DisposeAsync();
        Assert.True(layer.IsClosed);
    }

    [Fact]
    public async Task Without_places_to_mount_upon_in_any_layer_it_starts()
    {
        using TestRoot bare = new(mountPoints: false);
        string[] layers = [bare.Path, _layers.MakeDirectory("1")];

        Assert.Equal("ok", await new ContainerBuilder().FromLayers(layers).WithCommand("sh", "-c", "touch /tmp/x /run/x /etc/x && test -d /proc/1 && cat /etc/hosts | grep -q localhost && echo ok").OutputAsync());
        Assert.Equal("ok", await new ContainerBuilder().FromLayers(layers, RootAccess.ReadOnly).WithCommand("sh", "-c", "touch /x 2> /dev/null || echo ok").OutputAsync());
    }

    [Fact]
    public async Task A_user_is_looked_up_in_all_layers()
    {
        _base.Write("etc/passwd", "root:x:0:0::/root:/bin/sh\n");
        _layers.Write("1/usr/passwd", "root:x:0:0::/elsewhere:/bin/sh\n");
        File.CreateSymbolicLink(_layers["1/etc"], "/usr");

        Assert.Equal("/root", await Shell("echo $HOME").WithUser("root").OutputAsync());
        Assert.Equal("/elsewhere", await Shell("echo $HOME", _layers["1"]).WithUser("root").OutputAsync());
        await Assert.ThrowsAsync<ContainerException>(() => Shell("true", _layers["1"]).WithUser("nobody-here").RunAsync(Sandbox.Token));
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(64, false)]
    [InlineData(64, true)]
    [InlineData(128, false)]
    [InlineData(128, true)]
    public async Task Many_layers_are_mounted(int count, bool asBefore65)
    {
        string[] layers = [.. Enumerable.Range(1, count - 1).Select(i => Path.GetDirectoryName(_layers.Write($"layer {i}/file{i}", $"{i}"))!)];

        ContainerSpec spec = Shell($"ls / | grep -c ^file; true", layers).Build();
        PlanInputs inputs = LaunchInputs.Gather(spec);
        if (asBefore65) spec.ChangePlan(_ => LaunchPlanner.Plan(inputs with { Host = inputs.Host with { HasLowerDirAppend = false } }));

        Assert.Equal($"{count - 1}", Sandbox.Output(await spec.RunAsync(Sandbox.Token)));
    }

    [Fact]
    public async Task Fifty_containers_hold_the_pages_of_one_library_once()
    {
        List<Container> containers = [];
        try
        {
            while (containers.Count < 50) containers.Add(await Shell("exec sleep 1000").StartAsync(Sandbox.Token));
            long resident = 0, shared = 0, least = long.MaxValue;
            foreach (Container container in containers)
            {
                (long rss, long pss) = await CodeOf(container.ProcessId);
                Assert.True(rss > 0);
                (resident, shared, least) = (resident + rss, shared + pss, Math.Min(least, rss));
            }

            // A page that n processes map counts for the nth part in each (proc(5), Pss). Apart, both sums would be the same.
            Assert.True(shared < resident / 10, $"{containers.Count} processes have {resident} KiB of the program's code mapped, which take {shared} KiB");
        }
        finally
        {
            await Task.WhenAll(containers.Select(container => container.DisposeAsync().AsTask()));
        }
    }

    /// <summary>How much of its program's code a process has mapped, and its part of that, in KiB.</summary>
    private static async Task<(long Resident, long Part)> CodeOf(int processId)
    {
        long resident = 0, part = 0;
        bool isCode = false;
        foreach (string line in await File.ReadAllLinesAsync($"/proc/{processId}/smaps", Sandbox.Token))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (!words[0].EndsWith(':')) isCode = words[1].StartsWith("r-x", StringComparison.Ordinal) && line.EndsWith("/busybox", StringComparison.Ordinal);
            else if (isCode && words[0] == "Rss:") resident += long.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture);
            else if (isCode && words[0] == "Pss:") part += long.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture);
        }

        return (resident, part);
    }

    [Fact]
    public async Task A_name_that_overlayfs_would_misread_is_taken_as_it_is()
    {
        foreach (string name in (string[])["co:lon", "com,ma", "back\\slash", new string('x', 240), "ünï"])
            Assert.Equal("x", await Shell("cat /file", Path.GetDirectoryName(_layers.Write($"{name}/file", "x"))!).OutputAsync());
    }

    [Fact]
    public void What_cannot_be_is_an_error_before_anything_is_made()
    {
        Assert.Throws<ArgumentException>(() => new ContainerBuilder().FromLayers([]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ContainerBuilder().FromLayers([_base.Path], RootAccess.ReadWrite));
        Assert.Contains("no-such", Assert.Throws<DirectoryNotFoundException>(() => Shell("true", _layers["no-such"]).Build()).Message, StringComparison.Ordinal);
        Assert.Contains("500", Assert.Throws<InvalidOperationException>(() => new ContainerBuilder().FromLayers([.. Enumerable.Repeat(_base.Path, 501)]).WithCommand("true").Build()).Message, StringComparison.Ordinal);
    }

    private ContainerBuilder Shell(string script, params string[] layers) => new ContainerBuilder().FromLayers([_base.Path, .. layers]).WithCommand("sh", "-c", script);

    private string Write(string path)
    {
        _layers.Write(path, "");
        return _layers[path.Split('/')[0]];
    }
}
