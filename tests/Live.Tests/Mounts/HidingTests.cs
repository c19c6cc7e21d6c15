namespace Isolation.Live.Tests;

/// <summary>Masked and read-only paths.</summary>
public sealed class HidingTests
{
    [Fact]
    public async Task What_tells_of_the_host_is_empty()
    {
        HostFacts host = HostFactsReader.Current;
        Assert.NotEmpty(host.MaskedPaths);
        string script = string.Join('\n', host.MaskedPaths.Select(path => path.Value ? $"ls -A /{path.Key}" : $"cat /{path.Key}"));

        Assert.Equal("", await Sandbox.HostShell(script).OutputAsync());
    }

    [Fact]
    public async Task Settings_of_the_kernel_are_read_only()
    {
        ContainerResult result = await Sandbox.HostShell("echo 65 > /proc/sys/net/ipv4/ip_default_ttl; mkdir /sys/new; cat /proc/self/mountinfo").ResultAsync();

        Assert.Equal(2, result.StandardError.Split("Read-only file system").Length - 1);
        MountLine[] table = MountLine.Parse(result.StandardOutput);
        Assert.All(HostFactsReader.Current.ReadOnlyPaths.Append("sys"), path => Assert.True(MountLine.At(table, "/" + path).IsReadOnly, path));
    }

    [Fact]
    public async Task With_nesting_they_can_be_written()
    {
        // A setting of the container's own network namespace can be written once /proc/sys can.
        Assert.Equal("65", await Sandbox.HostShell("echo 65 > /proc/sys/net/ipv4/ip_default_ttl && cat /proc/sys/net/ipv4/ip_default_ttl").WithNesting().AddCapability(Capability.NetAdmin).OutputAsync());
    }

    [Theory]
    [InlineData("host")]
    [InlineData("directory")]
    public async Task The_callers_own_masks_hide_files_and_directories(string kind)
    {
        using TestRoot root = new();
        using TemporaryDirectory secrets = new();
        secrets.Write("file", "secret");
        secrets.Write("directory/file", "secret");
        string script = "cat /data/file; ls -A /data/directory; touch /data/directory/x 2>/dev/null && echo written; cat /data/missing 2>/dev/null; echo end";
        ContainerBuilder builder = (kind == "host" ? Sandbox.HostShell(script) : root.Shell(script)).WithBind(secrets.Path, "/data")
            .WithMaskedPath("/data/file").WithMaskedPath("/data/directory").WithMaskedPath("/data/missing").WithMaskedPath("/nowhere/at/all");

        Assert.Equal("end", await builder.OutputAsync());
        Assert.Equal("secret", File.ReadAllText(secrets["file"]));
    }

    [Theory]
    [InlineData("host")]
    [InlineData("directory")]
    public async Task The_callers_own_read_only_paths_cannot_be_written(string kind)
    {
        using TestRoot root = new();
        using TemporaryDirectory files = new();
        files.Write("file", "kept");
        files.Write("directory/file", "kept");
        string script = "echo x > /data/file; echo x > /data/directory/file; touch /data/directory/new; echo free > /data/new; cat /data/new";
        ContainerBuilder builder = (kind == "host" ? Sandbox.HostShell(script) : root.Shell(script)).WithBind(files.Path, "/data")
            .WithReadOnlyPath("/data/file").WithReadOnlyPath("/data/directory").WithReadOnlyPath("/nowhere/at/all");

        ContainerResult result = await builder.ResultAsync();

        Assert.Equal("free\n", result.StandardOutput);
        Assert.Equal(3, result.StandardError.Split("Read-only file system").Length - 1);
        Assert.Equal("kept", File.ReadAllText(files["directory/file"]));
    }
}
