namespace Isolation.Live.Tests;

/// <summary>A directory of the host as the root.</summary>
public sealed class DirectoryRootTests
{
    public static TheoryData<RootAccess, bool> All => new(
        from access in Enum.GetValues<RootAccess>() from mountPoints in (bool[])[true, false] select (access, mountPoints));

    [Theory]
    [MemberData(nameof(All))]
    public async Task It_runs_and_has_all_that_a_container_has(RootAccess access, bool mountPoints)
    {
        using TestRoot root = new(mountPoints);

        string[] lines = await root.Shell("cat /proc/1/comm; ls /dev/null /sys/class /etc/hosts; echo x > /tmp/x && echo x > /run/x && cat /tmp/x; cat /etc/hostname", access)
            .WithHostName("guest").LinesAsync();

        Assert.Equal("sh", lines[0]);
        Assert.Contains("/dev/null", lines);
        Assert.Contains("net", lines);
        Assert.Equal(["x", "guest"], lines[^2..]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Read_only_it_cannot_be_written_and_is_not_changed(bool mountPoints)
    {
        using TestRoot root = new(mountPoints);
        string[] before = TreeSnapshot.Of(root.Path);

        ContainerResult result = await root.Shell("touch /file; mkdir /bin/directory; echo x > /bin/busybox; rm /bin/sh; touch /bin").ResultAsync();

        Assert.False(result.Succeeded);
        Assert.Equal(5, result.StandardError.Split("Read-only file system").Length - 1);
        Assert.Equal(before, TreeSnapshot.Of(root.Path));
    }

    [Fact]
    public async Task Read_write_what_is_written_stays()
    {
        using TestRoot root = new();
        root.Write("gone", "");

        await root.Shell("echo new > /file; rm /gone; mkdir /directory; echo x > /tmp/private; echo x > /run/private", RootAccess.ReadWrite).OutputAsync();

        Assert.Equal("new\n", File.ReadAllText(root["file"]));
        Assert.False(File.Exists(root["gone"]));
        Assert.True(Directory.Exists(root["directory"]));
        Assert.Empty(Directory.GetFileSystemEntries(root["tmp"]));
        Assert.Empty(Directory.GetFileSystemEntries(root["run"]));
    }

    [Fact]
    public async Task Read_write_missing_mount_points_are_made_and_nothing_more()
    {
        using TestRoot root = new(mountPoints: false);

        await root.Container(RootAccess.ReadWrite, "true").OutputAsync();

        Assert.Equal(["bin", "dev", "etc", "proc", "run", "sys", "tmp"], Directory.GetFileSystemEntries(root.Path).Select(Path.GetFileName).Order());
        Assert.All(Directory.GetFiles(root["etc"]), file => Assert.Equal(0, new FileInfo(file).Length));
        Assert.All((string[])["dev", "proc", "run", "sys", "tmp"], name => Assert.Empty(Directory.GetFileSystemEntries(root[name])));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Layered_what_is_written_is_thrown_away(bool mountPoints)
    {
        using TestRoot root = new(mountPoints);
        root.Write("gone", "");
        root.Write("changed", "lower");
        string[] before = TreeSnapshot.Of(root.Path);

        string output = await root.Shell("echo new > /file; rm /gone; echo upper > /changed; mv /bin/true /bin/moved; chmod 700 /bin; cat /file /changed; ls /gone 2>/dev/null || echo gone", RootAccess.Layered).OutputAsync();

        Assert.Equal("new\nupper\ngone", output);
        Assert.Equal(before, TreeSnapshot.Of(root.Path));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_layer_is_as_open_as_what_it_lies_over(bool ownUsers)
    {
        if (!ownUsers) Lane.RequiresRoot("without a user namespace only root makes mounts");
        using TestRoot root = new();
        File.SetUnixFileMode(root.Path, (UnixFileMode)0x3C9 /* 01711 */);
        if (!ownUsers) Assert.Equal(0, (await Sandbox.OnHostAsync("chown", "7:8", root.Path)).ExitCode);

        string output = await root.Shell("stat -c '%a %u:%g' /", RootAccess.Layered).WithUserNs(ownUsers ? NamespaceSource.New : NamespaceSource.Host).OutputAsync();

        Assert.Equal(ownUsers ? "1711 0:0" : "1711 7:8", output);
    }

    [Fact]
    public async Task A_layer_has_the_size_that_is_asked_for()
    {
        using TestRoot root = new();
        ContainerBuilder builder = new ContainerBuilder().FromDirectory(root.Path, RootAccess.Layered, layerSizeBytes: 1 << 20)
            .WithCommand("dd", "if=/dev/zero", "of=/large", "bs=65536", "count=100");

        ContainerResult result = await builder.ResultAsync();

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("No space left on device", result.StandardError, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("with space")]
    [InlineData("co:lon")]
    [InlineData("com,ma")]
    [InlineData("back\\slash")]
    [InlineData("quote\"'")]
    [InlineData("ünïcödé")]
    public async Task A_path_is_taken_as_it_is(string name)
    {
        using TestRoot root = new();
        string inner = Path.Join(Path.GetDirectoryName(root.Path), name + Path.GetFileName(root.Path));
        Directory.Move(root.Path, inner);
        try
        {
            foreach (RootAccess access in Enum.GetValues<RootAccess>())
                Assert.Equal("ok", await new ContainerBuilder().FromDirectory(inner, access).WithCommand("echo", "ok").OutputAsync());
        }
        finally
        {
            Directory.Move(inner, root.Path);
        }
    }

    [Fact]
    public async Task A_long_path_is_taken_as_it_is()
    {
        using TestRoot root = new();
        using TemporaryDirectory parent = new();
        string inner = Path.Join(parent.MakeDirectory(string.Join('/', Enumerable.Repeat(new string('d', 100), 5))), "root");
        Directory.Move(root.Path, inner);
        try
        {
            foreach (RootAccess access in Enum.GetValues<RootAccess>())
                Assert.Equal("ok", await new ContainerBuilder().FromDirectory(inner, access).WithCommand("echo", "ok").OutputAsync());
        }
        finally
        {
            Directory.Move(inner, root.Path);
        }
    }

    [Fact]
    public async Task The_hosts_root_user_namespace_works_the_same()
    {
        Lane.RequiresRoot("the host's user namespace");
        using TestRoot root = new();
        string[] before = TreeSnapshot.Of(root.Path);
        foreach (RootAccess access in (RootAccess[])[RootAccess.ReadOnly, RootAccess.Layered])
            Assert.Equal("ok", await root.Shell("touch /tmp/x /run/x && echo ok > /dev/stderr", access).WithUserNs(NamespaceSource.Host).ResultAsync().ContinueWith(task => task.Result.StandardError.Trim(), TaskScheduler.Default));
        Assert.Equal(before, TreeSnapshot.Of(root.Path));
    }
}
