namespace Isolation.Live.Tests;

public sealed class TmpfsTests
{
    [Fact]
    public async Task Size_inodes_and_mode_are_as_asked()
    {
        using TestRoot root = new();
        ContainerBuilder builder = root.Shell("stat -c %a /data; stat -f -c '%b %S %c' /data")
            .WithTmpfs("/data", new() { SizeBytes = 1 << 20, Inodes = 7, Mode = 0x1C0 });

        string[] lines = await builder.LinesAsync();

        Assert.Equal("700", lines[0]);
        string[] numbers = lines[1].Split(' ');
        Assert.Equal(1 << 20, int.Parse(numbers[0], System.Globalization.CultureInfo.InvariantCulture) * int.Parse(numbers[1], System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal("7", numbers[2]);
    }

    [Fact]
    public async Task Full_is_full()
    {
        TmpfsOptions small = new() { SizeBytes = 1 << 20, Inodes = 4 };

        ContainerResult bytes = await Sandbox.Host("dd", "if=/dev/zero", "of=/data/file", "bs=65536", "count=17").WithTmpfs("/data", small).ResultAsync();
        ContainerResult files = await Sandbox.HostShell("cd /data; touch 1 2 3; touch 4").WithTmpfs("/data", small).ResultAsync();

        Assert.Contains("No space left on device", bytes.StandardError, StringComparison.Ordinal);
        Assert.Contains("No space left on device", files.StandardError, StringComparison.Ordinal);
        Assert.Contains("'4'", files.StandardError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_can_be_read_only_and_without_programs()
    {
        ContainerResult readOnly = await Sandbox.Host("touch", "/data/file").WithTmpfs("/data", new() { ReadOnly = true }).ResultAsync();
        ContainerResult noexec = await Sandbox.HostShell("cp /bin/true /data/true; /data/true").WithTmpfs("/data", new() { AllowExecution = false }).ResultAsync();
        ContainerResult exec = await Sandbox.HostShell("cp /bin/true /data/true; /data/true").WithTmpfs("/data").ResultAsync();

        Assert.Contains("Read-only file system", readOnly.StandardError, StringComparison.Ordinal);
        Assert.Equal(126, noexec.ExitCode);
        Assert.Equal(0, exec.ExitCode);
    }

    [Theory]
    [InlineData("/tmp", 3 << 20)]
    [InlineData("/run", 2 << 20)]
    [InlineData("/dev/shm", 5 << 20)]
    public async Task Each_private_directory_has_its_own_size(string path, int size)
    {
        ContainerBuilder builder = Sandbox.Host("stat", "-f", "-c", "%b %S", path).WithTmpSize(3 << 20).WithRunSize(2 << 20).WithSharedMemorySize(5 << 20);

        string[] numbers = (await builder.OutputAsync()).Split(' ');

        Assert.Equal(size, int.Parse(numbers[0], System.Globalization.CultureInfo.InvariantCulture) * int.Parse(numbers[1], System.Globalization.CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("/tmp")]
    [InlineData("/run")]
    [InlineData("/dev/shm")]
    public async Task No_two_containers_share_a_private_directory(string path)
    {
        await using Container first = await Sandbox.HostShell($"echo first > {path}/file; echo done; exec sleep 1000").BeginAsync();
        ContainerBuilder joined = Sandbox.HostShell($"while ! [ -e {path}/file ]; do :; done; echo seen").JoinNamespacesOf(first, NamespaceKind.User, NamespaceKind.Mount);
        Assert.Equal("seen", await joined.OutputAsync());

        Assert.Equal("", await Sandbox.Host("ls", "-A", path).OutputAsync());
        Assert.False(File.Exists(path + "/file"));
    }

    [Fact]
    public async Task Without_a_size_the_roots_own_is_seen()
    {
        using TestRoot root = new();
        root.Write("tmp/own", "");
        root.Write("run/own", "");

        Assert.Equal(["/run/own", "/tmp/own"], await root.Shell("ls /run/own /tmp/own").WithTmpSize(0).WithRunSize(0).LinesAsync());
    }

    [Theory]
    [InlineData("/tmp", "1777")]
    [InlineData("/run", "755")]
    [InlineData("/dev/shm", "1777")]
    public async Task Modes_are_those_that_programs_expect(string path, string mode) =>
        Assert.Equal(mode, await Sandbox.Host("stat", "-c", "%a", path).OutputAsync());
}
