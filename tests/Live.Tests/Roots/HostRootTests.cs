namespace Isolation.Live.Tests;

/// <summary>The host's own files as the root.</summary>
public sealed class HostRootTests
{
    [Fact]
    public async Task Files_of_the_host_are_there()
    {
        Assert.Equal((await File.ReadAllTextAsync("/etc/passwd", Sandbox.Token)).TrimEnd('\n'), await Sandbox.Host("cat", "/etc/passwd").OutputAsync());
        string[] inside = await Sandbox.Host("ls", "-A", "/").LinesAsync();
        Assert.Equal(Directory.GetFileSystemEntries("/").Select(Path.GetFileName).Order(StringComparer.Ordinal), inside.Order(StringComparer.Ordinal));
    }

    /// <summary>A layer over a directory that only its owner may enter would open it, were it like any new directory.</summary>
    [Fact]
    public async Task Its_directories_have_the_modes_of_the_hosts()
    {
        string[] names = [.. Directory.GetDirectories("/").Except(["/proc", "/sys", "/dev", "/tmp", "/run"]).Where(name => new DirectoryInfo(name).LinkTarget is null).Order(StringComparer.Ordinal)];
        Assert.Contains("/root", names);

        string[] inside = await Sandbox.Host(["stat", "-c", "%n %a", "/", .. names]).LinesAsync();

        Assert.Equal(((string[])["/", .. names]).Select(name => $"{name} {Convert.ToString((int)File.GetUnixFileMode(name), 8)}"), inside);
    }

    [Fact]
    public async Task What_is_written_vanishes_and_the_host_is_as_it_was()
    {
        string name = "isolation-live-" + Guid.NewGuid().ToString("N");
        string script = $"echo inside > /etc/{name} && cat /etc/{name} && mkdir /{name} && touch /opt/{name} && ls -d /opt/{name}";

        Assert.Equal(["inside", $"/opt/{name}"], await Sandbox.HostShell(script).LinesAsync());
        Assert.False(Path.Exists($"/etc/{name}") || Path.Exists($"/{name}") || Path.Exists($"/opt/{name}"));
        Assert.Equal("no", await Sandbox.HostShell($"[ -e /etc/{name} ] || echo no").OutputAsync());
    }

    [Fact]
    public async Task Files_of_the_host_are_changed_for_the_container_only()
    {
        // A directory outside /tmp and /run that belongs to whoever runs this.
        using TemporaryDirectory directory = new("/var/tmp");
        directory.Write("kept", "host");
        directory.Write("removed", "host");
        string[] before = TreeSnapshot.Of(directory.Path);

        ContainerResult result = await Sandbox.HostShell($"cd {directory.Path} && echo more >> kept && rm removed && chmod 700 . && cat kept && ls").ResultAsync();

        Assert.Equal("hostmore\nkept", Sandbox.Output(result));
        Assert.Equal(before, TreeSnapshot.Of(directory.Path));
    }

    [Fact]
    public async Task Tmp_and_run_are_not_the_hosts()
    {
        using TemporaryDirectory directory = new("/tmp");

        Assert.Equal("", await Sandbox.Host("ls", "-A", "/tmp", "--ignore=.X11-unix").OutputAsync());
        Assert.Equal("", await Sandbox.Host("ls", "-A", "/run").OutputAsync());
    }

    [Fact]
    public async Task The_layer_has_the_size_that_is_asked_for()
    {
        ContainerResult result = await Sandbox.Host("dd", "if=/dev/zero", "of=/etc/large", "bs=65536", "count=100").FromHost(layerSizeBytes: 1 << 20).ResultAsync();

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("No space left on device", result.StandardError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Device_files_of_the_host_stay_shut()
    {
        Lane.RequiresRoot("an unprivileged user has no device files to try");
        ContainerResult result = await Sandbox.HostShell("mknod /etc/null c 1 3 && echo x > /etc/null")
            .WithUserNs(NamespaceSource.Host).AddCapability(Capability.Mknod).ResultAsync();

        Assert.Contains("Permission denied", result.StandardError, StringComparison.Ordinal);
    }
}
