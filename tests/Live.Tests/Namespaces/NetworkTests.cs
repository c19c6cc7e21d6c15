using System.Net;
using System.Net.Sockets;

namespace Isolation.Live.Tests;

public sealed class NetworkTests
{
    [Fact]
    public async Task Loopback_carries_a_connection()
    {
        using TestRoot root = new();
        // The port is refused until the other side listens on it; unreachable would be another error, without end.
        string script = """
            nc -l -p 5000 -e /bin/cat &
            until echo hello | nc 127.0.0.1 5000 2>/tmp/error; do grep -q refused /tmp/error || { cat /tmp/error >&2; exit 1; }; done
            """;

        Assert.Equal("hello", await root.Shell(script).OutputAsync());
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task Loopback_has_its_addresses(string address)
    {
        Assert.SkipUnless(address == "127.0.0.1" || Socket.OSSupportsIPv6, "this kernel has no IPv6");

        // Nobody listens, and it takes an interface that is up to say so: down, the network is unreachable.
        ContainerResult result = await Sandbox.Host("bash", "-c", $"exec 3<>/dev/tcp/{address}/9").ResultAsync();

        Assert.Contains("Connection refused", result.StandardError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task There_is_no_interface_but_loopback() =>
        Assert.Equal("lo", await Sandbox.Host("ls", "/sys/class/net").OutputAsync());

    [Fact]
    public async Task A_port_of_the_hosts_is_reached_with_the_hosts_network_only()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        string connect = $"exec 3<>/dev/tcp/127.0.0.1/{((IPEndPoint)listener.LocalEndPoint!).Port}";

        ContainerResult apart = await Sandbox.Host("bash", "-c", connect).ResultAsync();
        ContainerResult shared = await Sandbox.Host("bash", "-c", connect).WithNetNs(NamespaceSource.Host).ResultAsync();

        Assert.Contains("refused", apart.StandardError, StringComparison.Ordinal);
        Assert.True(shared.Succeeded, shared.StandardError);
    }

    [Fact]
    public async Task An_abstract_socket_of_the_hosts_is_out_of_reach()
    {
        string name = "isolation-live-" + Guid.NewGuid().ToString("N");
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint("\0" + name));
        listener.Listen();

        Assert.DoesNotContain(name, await Sandbox.Host("cat", "/proc/net/unix").OutputAsync(), StringComparison.Ordinal);
        Assert.Contains(name, await Sandbox.Host("cat", "/proc/net/unix").WithNetNs(NamespaceSource.Host).OutputAsync(), StringComparison.Ordinal);
    }
}
