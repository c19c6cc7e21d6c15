using System.Text.Json.Nodes;

namespace Isolation.Live.Tests;

/// <summary>Control groups of bundles by systemd, named as every runtime does under it.</summary>
[Trait("Lane", "Systemd")]
public sealed class OciSystemdTests
{
    [Fact]
    public async Task A_container_is_in_the_scope_that_its_configuration_names_and_its_limits_hold()
    {
        SystemdTests.Require();
        using Bundle bundle = new("/bin/sleep", "1000");
        string slice = Lane.IsRoot ? "isolationtest.slice" : "";
        bundle.Config["linux"]!["cgroupsPath"] = $"{slice}:isolation-test:named";
        bundle.Config["linux"]!["resources"] = JsonNode.Parse("""{"pids":{"limit":50},"memory":{"limit":67108864}}""");
        OciProgram program = await bundle.Containers.CreateAsync("scope", bundle.Write() with { SystemdCgroup = true }, Sandbox.Token);
        string group = File.ReadLines($"/proc/{program.ProcessId}/cgroup").First(line => line.StartsWith("0::", StringComparison.Ordinal))[3..];

        Assert.EndsWith($"/{(slice.Length > 0 ? slice : "user.slice")}/isolation-test-named.scope", group, StringComparison.Ordinal);
        Assert.Equal("50", File.ReadAllText($"/sys/fs/cgroup{group}/pids.max").Trim());
        Assert.Equal("67108864", File.ReadAllText($"/sys/fs/cgroup{group}/memory.max").Trim());
        bundle.Containers.Update("scope", """{"pids":{"limit":40}}""");
        Assert.Equal("40", File.ReadAllText($"/sys/fs/cgroup{group}/pids.max").Trim());
        await bundle.Containers.StartAsync("scope", Sandbox.Token);
        OciProgram entered = await bundle.Containers.ExecAsync("scope", new() { Command = ["/bin/true"] }, Sandbox.Token);
        Assert.Equal(0, (await entered.WaitAsync(Sandbox.Token)).ExitCode);
        Assert.True(bundle.Containers.ReadStats("scope").Pids.Current >= 1);
        await bundle.Containers.DeleteAsync("scope", force: true, cancellationToken: Sandbox.Token);
        Assert.False(Directory.Exists($"/sys/fs/cgroup{group}"));
    }

    [Theory]
    [InlineData("/a/path", "is to be slice:prefix:name")]
    [InlineData("no/slice:a:b", "is to be slice:prefix:name")]
    [InlineData("none:a:b", "'none' is no name of a slice")]
    public async Task What_names_no_scope_is_refused(string path, string expected)
    {
        using Bundle bundle = new("/bin/true");
        bundle.Config["linux"]!["cgroupsPath"] = path;
        Assert.Contains(expected, (await Assert.ThrowsAsync<OciRuntimeException>(() => bundle.Containers.CreateAsync("refused", bundle.Write() with { SystemdCgroup = true }, Sandbox.Token))).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(bundle.Containers.Directory));
    }
}
