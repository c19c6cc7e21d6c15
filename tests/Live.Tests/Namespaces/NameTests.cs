namespace Isolation.Live.Tests;

public sealed class NameTests
{
    [Fact]
    public async Task Names_are_set_inside_and_stay_on_the_host()
    {
        string[] before = HostNames();
        ContainerBuilder builder = Sandbox.Host("cat", "/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname", "/etc/hostname")
            .WithHostName("inside").WithDomainName("example.test");

        Assert.Equal(["inside", "example.test", "inside"], await builder.LinesAsync());
        Assert.Equal(before, HostNames());
    }

    [Fact]
    public async Task The_host_name_is_the_containers_id_by_default()
    {
        await using Container container = await Sandbox.Host("cat", "/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname").BeginAsync();

        Assert.Equal([container.Id, "(none)"], Sandbox.Output(await container.EndAsync()).Split('\n'));
        Assert.Matches("^[0-9a-f]{12}$", container.Id);
    }

    [Fact]
    public async Task A_name_of_64_bytes_is_taken_whole()
    {
        string name = new('n', 64);

        Assert.Equal(name, await Sandbox.Host("cat", "/proc/sys/kernel/hostname").WithHostName(name).OutputAsync());
    }

    private static string[] HostNames() =>
        [File.ReadAllText("/proc/sys/kernel/hostname"), File.ReadAllText("/proc/sys/kernel/domainname")];
}
