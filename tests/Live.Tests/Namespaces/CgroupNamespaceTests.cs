namespace Isolation.Live.Tests;

public sealed class CgroupNamespaceTests
{
    [Fact]
    public async Task Every_group_is_the_root_of_what_is_seen()
    {
        string[] lines = await Sandbox.Host("cat", "/proc/self/cgroup").LinesAsync();

        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Equal("/", line.Split(':', 3)[2]));
    }

    [Fact]
    public async Task With_the_hosts_the_groups_are_those_of_this_process()
    {
        string own = await File.ReadAllTextAsync("/proc/self/cgroup", Sandbox.Token);

        Assert.Equal(own.TrimEnd('\n'), await Sandbox.Host("cat", "/proc/self/cgroup").WithCgroupNs(NamespaceSource.Host).OutputAsync());
    }
}
