namespace Isolation.Live.Tests;

public sealed class BindTests
{
    public static TheoryData<string> Roots => ["host", "ReadOnly", "ReadWrite", "Layered"];

    [Theory]
    [MemberData(nameof(Roots))]
    public async Task A_directory_is_read_and_written(string kind)
    {
        using TestRoot root = new();
        using TemporaryDirectory directory = new();
        directory.Write("there", "from the host");

        Assert.Equal("from the host", await Shell(kind, root, "cat /data/there && echo inside > /data/written").WithBind(directory.Path, "/data").OutputAsync());
        Assert.Equal("inside\n", File.ReadAllText(directory["written"]));
    }

    [Theory]
    [MemberData(nameof(Roots))]
    public async Task Read_only_it_is_read_only(string kind)
    {
        using TestRoot root = new();
        using TemporaryDirectory directory = new();
        directory.Write("there", "from the host");

        ContainerResult result = await Shell(kind, root, "cat /data/there; echo more >> /data/there; touch /data/new; rm /data/there").WithReadOnlyBind(directory.Path, "/data").ResultAsync();

        Assert.Equal("from the host", result.StandardOutput);
        Assert.Equal(3, result.StandardError.Split("Read-only file system").Length - 1);
        Assert.Equal("from the host", File.ReadAllText(directory["there"]));
    }

    [Theory]
    [MemberData(nameof(Roots))]
    public async Task A_file_is_bound_to_a_file(string kind)
    {
        using TestRoot root = new();
        using TemporaryDirectory directory = new();
        string file = directory.Write("file", "one\n");

        Assert.Equal(["one", "two"], await Shell(kind, root, "echo two >> /data/deep/er/file; cat /data/deep/er/file").WithBind(file, "/data/deep/er/file").LinesAsync());
        Assert.Equal("one\ntwo\n", File.ReadAllText(file));
    }

    [Theory]
    [MemberData(nameof(Roots))]
    public async Task A_missing_target_is_made(string kind)
    {
        using TestRoot root = new(mountPoints: false);
        using TemporaryDirectory directory = new();
        directory.Write("mark", "here");

        Assert.Equal("here", await Shell(kind, root, "cat /a/b/c/mark").WithBind(directory.Path, "/a/b/c").OutputAsync());
        Assert.Equal(kind == "ReadWrite", Directory.Exists(root["a/b/c"]));
    }

    [Theory]
    [MemberData(nameof(Roots))]
    public async Task Mounts_stand_in_mounts_in_the_order_given(string kind)
    {
        using TestRoot root = new();
        using TemporaryDirectory outer = new(), inner = new();
        outer.Write("mark", "outer");
        inner.Write("mark", "inner");
        ContainerBuilder builder = Shell(kind, root, "cat /data/mark /data/inner/mark; ls /tmp/bound /dev/bound")
            .WithBind(outer.Path, "/data").WithBind(inner.Path, "/data/inner").WithBind(inner["mark"], "/tmp/bound").WithBind(inner["mark"], "/dev/bound");

        string[] lines = await builder.LinesAsync();

        Assert.Equal("outerinner/dev/bound", lines[0]);
        Assert.Equal("/tmp/bound", lines[1]);
        Assert.True(Directory.Exists(outer["inner"]));
    }

    [Fact]
    public async Task Mounts_beneath_come_along_and_are_read_only_with_it()
    {
        // The host's /dev/shm is a mount beneath /dev that anybody writes to.
        using TemporaryDirectory shared = new("/dev/shm");
        string name = Path.GetFileName(shared.Path);
        string probe = $"ls /opt/dev/shm/{name} && echo x > /opt/dev/shm/{name}/file";

        ContainerResult writable = await Sandbox.HostShell(probe).WithBind("/dev", "/opt/dev").ResultAsync();
        Assert.True(writable.Succeeded, writable.StandardError);
        File.Delete(shared["file"]);
        ContainerResult readOnly = await Sandbox.HostShell(probe).WithReadOnlyBind("/dev", "/opt/dev").ResultAsync();

        Assert.Contains("Read-only file system", readOnly.StandardError, StringComparison.Ordinal);
        Assert.False(File.Exists(shared["file"]));
    }

    [Fact]
    public async Task Not_recursive_mounts_beneath_stay_behind()
    {
        Lane.RequiresRoot("in a new user namespace the kernel keeps mounts together");
        using TemporaryDirectory shared = new("/dev/shm");
        ContainerBuilder builder = Sandbox.Host("ls", "/opt/dev/shm").WithUserNs(NamespaceSource.Host).WithBind("/dev", "/opt/dev", new() { Recursive = false });

        Assert.Equal("", await builder.OutputAsync());
    }

    [Fact]
    public async Task Options_are_options_of_the_mount()
    {
        using TemporaryDirectory directory = new();
        directory.Write("script", "#!/bin/sh\necho ran\n");
        File.SetUnixFileMode(directory["script"], (UnixFileMode)0x1ED);

        ContainerResult noexec = await Sandbox.Host("/data/script").WithBind(directory.Path, "/data").ResultAsync();
        ContainerException refusal = await Sandbox.Host("/data/script").WithBind(directory.Path, "/data", new() { AllowExecution = false }).RefusalAsync();
        MountLine[] table = MountLine.Parse(await Sandbox.Host("cat", "/proc/self/mountinfo").WithReadOnlyBind(directory.Path, "/data").OutputAsync());

        Assert.Equal("ran\n", noexec.StandardOutput);
        Assert.Equal(ContainerErrorReason.ProgramNotExecutable, refusal.Reason);
        Assert.Superset(new HashSet<string> { "ro", "nosuid", "nodev" }, MountLine.At(table, "/data").Options.ToHashSet());
        Assert.Empty(MountLine.At(table, "/data").Propagation);
    }

    [Fact]
    public async Task A_missing_source_is_named()
    {
        FileNotFoundException refusal = await Assert.ThrowsAsync<FileNotFoundException>(() => Sandbox.Host("true").WithBind("/nowhere/at/all", "/data").RunAsync(Sandbox.Token));

        Assert.Contains("/nowhere/at/all", refusal.Message, StringComparison.Ordinal);
    }

    private static ContainerBuilder Shell(string kind, TestRoot root, string script) =>
        kind == "host" ? Sandbox.HostShell(script) : root.Shell(script, Enum.Parse<RootAccess>(kind));
}
