using System.Globalization;

namespace Isolation.Live.Tests;

/// <summary>Ids that a container has to itself, and mounts that are seen through its identity map.</summary>
[Trait("Lane", "VM")]
public sealed class OwnIdTests
{
    private const int Few = 100; // an unprivileged user has no more than 65536 for all

    private static string Claims => Path.Join(StateDirectoryOfUser, "claims", "id-ranges");

    private static string StateDirectoryOfUser => StateLocation.OpenDefault() is var (path, directory) && Closed(directory) ? path : "";

    [Fact]
    public async Task Each_container_has_a_range_that_no_other_has_and_gives_it_back()
    {
        RequiresRanges();
        HashSet<uint> firsts = [];
        List<Container> containers = [];
        for (int i = 0; i < 8; i++) containers.Add(await Sandbox.SleeperAsync(builder => builder.WithOwnIds(Few)));
        foreach (Container container in containers)
        {
            (uint inside, uint first, uint count) = MapOf(container, "uid_map");
            Assert.Equal((0u, (uint)Few), (inside, count));
            Assert.True(firsts.Add(first), $"{first} is had twice");
            Assert.DoesNotContain(firsts, other => other != first && Math.Abs((long)other - first) < Few);
            Assert.Contains($"{first}-{Few}", ClaimNames());
            Assert.Contains(container.Enforcement, entry => entry is { Feature: "identity map", State: EnforcementState.Enforced } && entry.Detail.Contains(first.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
        }

        foreach (Container container in containers) await container.DisposeAsync();
        Assert.DoesNotContain(ClaimNames(), name => firsts.Contains(uint.Parse(name.Split('-')[0], CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task One_spec_started_many_times_at_once_has_as_many_ranges()
    {
        RequiresRanges();
        ContainerSpec spec = Sandbox.Host("cat", "/proc/self/uid_map").WithOwnIds(Few).Build();
        ContainerResult[] results = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => spec.RunAsync(Sandbox.Token)));

        Assert.All(results, result => Assert.True(result.Succeeded, result.ToString()));

        // At the same time they were different, so 20 of which at least two overlapped are not all one.
        Assert.InRange(results.Select(result => result.StandardOutput).Distinct().Count(), 2, 20);
    }

    [Fact]
    public async Task What_leaves_it_is_nobody_outside()
    {
        RequiresRanges();
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithOwnIds(Few).WithUser("7:9"));
        Dictionary<string, string> status = Processes.Status(await File.ReadAllTextAsync($"/proc/{container.ProcessId}/status", Sandbox.Token));

        Assert.Equal(MapOf(container, "uid_map").First + 7, uint.Parse(status["Uid"].Split('\t')[0], CultureInfo.InvariantCulture));
        Assert.Equal(MapOf(container, "gid_map").First + 9, uint.Parse(status["Gid"].Split('\t')[0], CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData(RootAccess.ReadOnly)]
    [InlineData(RootAccess.ReadWrite)]
    [InlineData(RootAccess.Layered)]
    public async Task A_root_directory_belongs_to_its_root(RootAccess access)
    {
        RequiresMaps();
        using TestRoot root = new(parent: Lane.Disk);
        root.Write("secret", "mine\n");
        File.SetUnixFileMode(root["secret"], UnixFileMode.UserRead);
        string write = access == RootAccess.ReadOnly ? "" : "; echo made > /etc/made; stat -c %u:%g /etc/made";
        string[] lines = await root.Shell($"stat -c %u:%g /bin/busybox; cat /secret{write}", access).WithOwnIds(Few).LinesAsync();

        Assert.Equal(access == RootAccess.ReadOnly ? ["0:0", "mine"] : ["0:0", "mine", "0:0"], lines);
        if (access == RootAccess.ReadWrite) Assert.Equal("0:0", (await Sandbox.OnHostAsync("stat", "-c", "%u:%g", root["etc/made"])).Output.Trim());
    }

    [Fact]
    public async Task A_bind_can_be_seen_through_the_map_and_what_is_made_has_the_owner_on_disk()
    {
        RequiresMaps();
        using TemporaryDirectory directory = new(Lane.Disk);
        directory.Write("mine", "x");
        string file = directory.Write("alone", "file\n");
        const string Script = "stat -c %u:%g /data/mine; touch /data/made; chown 5:6 /data/made; stat -c %u:%g /data/made; cat /file; stat -c %u:%g /plain/mine";
        string[] lines = await Sandbox.HostShell(Script).WithOwnIds(Few)
            .WithBind(directory.Path, "/data", new BindOptions { MapIds = true })
            .WithBind(file, "/file", new BindOptions { MapIds = true, ReadOnly = true, NoSymbolicLinks = true })
            .WithBind(directory.Path, "/plain").LinesAsync();

        Assert.Equal(["0:0", "5:6", "file", "65534:65534"], lines);
        Assert.Equal("5:6", (await Sandbox.OnHostAsync("stat", "-c", "%u:%g", directory["made"])).Output.Trim());
    }

    [Fact]
    public async Task A_bind_that_is_mapped_is_as_read_only_as_any()
    {
        RequiresMaps();
        using TemporaryDirectory directory = new(Lane.Disk);
        ContainerResult result = await Sandbox.HostShell("touch /data/x").WithOwnIds(Few).WithBind(directory.Path, "/data", new BindOptions { MapIds = true, ReadOnly = true }).ResultAsync();

        Assert.False(result.Succeeded);
        Assert.Contains("Read-only", result.StandardError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_volume_is_the_same_for_containers_with_different_ids()
    {
        RequiresMaps();
        using TestRoot root = new(parent: Lane.Disk);
        using TemporaryDirectory volume = new(Lane.Disk);
        await root.Shell("echo one > /data/one; chown 3:4 /data/one", RootAccess.Layered).WithOwnIds(Few).WithVolume(volume["shared"], "/data").OutputAsync();
        string[] lines = await root.Shell("stat -c %u:%g /data/one; echo two > /data/two; cat /data/one", RootAccess.Layered).WithOwnIds(Few).WithVolume(volume["shared"], "/data").LinesAsync();

        Assert.Equal(["3:4", "one"], lines);
        Assert.Equal("3:4", (await Sandbox.OnHostAsync("stat", "-c", "%u:%g", volume["shared/one"])).Output.Trim());
    }

    [Fact]
    public async Task Without_the_privilege_a_mapped_bind_is_refused()
    {
        Lane.RequiresUnprivileged("root may");
        using TemporaryDirectory directory = new(Lane.Disk);
        ContainerException exception = await Sandbox.Host("true").WithSubordinateIds().WithBind(directory.Path, "/data", new BindOptions { MapIds = true }).RefusalAsync();

        Assert.Equal(ContainerErrorReason.MountFailed, exception.Reason);
        Assert.Contains("CAP_SYS_ADMIN", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_range_that_is_not_the_callers_is_refused()
    {
        Lane.RequiresUnprivileged("root may map any id");
        ContainerException exception = await Sandbox.Host("true").WithUserMapping(new IdMapping(0, 1, 10)).WithGroupMapping(new IdMapping(0, 1, 10)).RefusalAsync();

        Assert.Equal(ContainerErrorReason.IdentityMapFailed, exception.Reason);
        Assert.Contains("/etc/subuid", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_than_there_are_is_refused_and_nothing_claimed()
    {
        Lane.RequiresUnprivileged("root has as many as there are");
        RequiresRanges();
        string[] before = ClaimNames();
        ContainerException exception = await Sandbox.Host("true").WithOwnIds(1 << 24).RefusalAsync();

        Assert.Equal(ContainerErrorReason.IdentityMapFailed, exception.Reason);
        Assert.Contains("usermod --add-subuids", exception.Message, StringComparison.Ordinal);
        Assert.Equal(before, ClaimNames());
    }

    [Fact]
    public async Task What_the_dead_have_claimed_is_free_and_what_a_survivor_has_is_not()
    {
        Isolation.Linux.FileDescriptor claims = ClaimDirectory.Of(ClaimDirectory.Ranges).Directory;
        string path = new FileInfo($"/proc/self/fd/{claims.Number}").LinkTarget!, dead = Path.Join(path, "1-1"), survivor = Path.Join(path, "2-1");
        await File.WriteAllTextAsync(dead, "", Sandbox.Token);
        await File.WriteAllTextAsync(survivor, $"1 5\n{Environment.ProcessId} {Isolation.Linux.ProcessStartTime.Read(Environment.ProcessId)}\n", Sandbox.Token);
        try
        {
            using TemporaryDirectory state = new();
            await using (await IsolationHost.OpenAsync(state["state"], Sandbox.Token)) Assert.Equal((false, true), (File.Exists(dead), File.Exists(survivor)));
            Assert.Null(Claim.TryTake(ClaimDirectory.Of(ClaimDirectory.Ranges), "2-1"));
        }
        finally
        {
            File.Delete(dead);
            File.Delete(survivor);
        }
    }

    private static (uint Inside, uint First, uint Count) MapOf(Container container, string file)
    {
        uint[] fields = Array.ConvertAll(File.ReadAllText($"/proc/{container.ProcessId}/{file}").Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries), text => uint.Parse(text, CultureInfo.InvariantCulture));
        Assert.Equal(3, fields.Length);
        return (fields[0], fields[1], fields[2]);
    }

    private static string[] ClaimNames() => Directory.Exists(Claims) ? [.. Directory.GetFiles(Claims).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)] : [];

    private static bool Closed(Isolation.Linux.FileDescriptor directory)
    {
        directory.Dispose();
        return true;
    }

    private static void RequiresRanges()
    {
        if (!Lane.IsRoot) SubordinateRange.Use(new ContainerBuilder());
    }

    private static void RequiresMaps()
    {
        Lane.RequiresRoot("mounts are seen through maps by CAP_SYS_ADMIN");
        Assert.SkipUnless(HostFactsReader.Current.HasMountSetAttr, "this kernel has no mounts with identity maps (Linux 5.12)");
    }
}
