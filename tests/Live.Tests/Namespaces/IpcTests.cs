namespace Isolation.Live.Tests;

public sealed class IpcTests
{
    private const string Segments = "/proc/sysvipc/shm";

    [Fact]
    public async Task Shared_memory_is_seen_in_its_own_namespace_only()
    {
        string host = File.ReadAllText(Segments);
        await using Container maker = await Sandbox.HostShell("ipcmk -M 4096 >/dev/null; exec sleep 1000").BeginAsync();
        ContainerBuilder joined = Sandbox.HostShell($"while [ $(wc -l < {Segments}) = 1 ]; do :; done; wc -l < {Segments}")
            .JoinNamespacesOf(maker, NamespaceKind.User, NamespaceKind.Ipc);

        Assert.Equal("2", await joined.OutputAsync());
        Assert.Equal("1", await Sandbox.HostShell($"wc -l < {Segments}").OutputAsync());
        Assert.Equal(host, File.ReadAllText(Segments));
    }

    [Fact]
    public async Task Message_queues_are_files_of_the_containers_own()
    {
        await using Container maker = await Sandbox.HostShell("touch /dev/mqueue/mine; exec sleep 1000").BeginAsync();
        ContainerBuilder joined = Sandbox.HostShell("while ! [ -e /dev/mqueue/mine ]; do :; done; ls /dev/mqueue")
            .JoinNamespacesOf(maker, NamespaceKind.User, NamespaceKind.Ipc);

        Assert.Equal("mine", await joined.OutputAsync());
        Assert.Equal("", await Sandbox.Host("ls", "/dev/mqueue").OutputAsync());
    }

    [Fact]
    public async Task With_the_hosts_ipc_in_a_new_user_namespace_the_lack_of_queues_is_reported()
    {
        await using Container container = await Sandbox.Host("ls", "/dev/mqueue").WithIpcNs(NamespaceSource.Host).BeginAsync();

        Assert.Equal("", Sandbox.Output(await container.EndAsync()));
        Assert.Contains(container.Enforcement, entry => entry is { Feature: "/dev/mqueue", State: EnforcementState.Fallback });
    }
}
