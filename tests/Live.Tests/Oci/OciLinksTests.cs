using System.Globalization;
using System.Text.Json.Nodes;

namespace Isolation.Live.Tests;

/// <summary>Interfaces of the host's that a container gets (<c>linux.netDevices</c>).</summary>
[Trait("Lane", "VM")]
[Trait("Lane", "VM 5.10")]
public sealed class OciLinksTests : IAsyncLifetime
{
    private readonly string _name = string.Create(CultureInfo.InvariantCulture, $"iso{Random.Shared.Next(0x1000000):x6}a");

    private string Peer => _name[..^1] + 'b';

    public async ValueTask InitializeAsync()
    {
        if (!Lane.IsRoot) return;
        await IpAsync("link", "add", _name, "mtu", "1400", "type", "veth", "peer", "name", Peer);
        await IpAsync("addr", "add", "192.0.2.7/24", "brd", "192.0.2.255", "dev", _name);
        await IpAsync("addr", "add", "2001:db8::7/64", "dev", _name, "nodad");
        await IpAsync("link", "set", _name, "up");
    }

    public async ValueTask DisposeAsync()
    {
        // Gone with a container's namespace, as a rule.
        if (Lane.IsRoot) await Sandbox.OnHostAsync("ip", "link", "del", Peer);
    }

    [Fact]
    public async Task An_interface_is_moved_under_its_new_name_with_its_addresses_before_the_first_hook()
    {
        Lane.RequiresRoot("an interface of the host's is root's");
        using Bundle bundle = Bundle.Shell("ip addr show eth7 > /out/text");
        Ask(bundle, (_name, "eth7"));
        bundle.Hook("createRuntime", $"ip link show {_name} > /dev/null 2>&1 || echo gone > {bundle["host"]}");

        Assert.Equal(0, (await bundle.RunAsync()).ExitCode);

        Assert.Equal("gone\n", File.ReadAllText(bundle["host"]));
        Assert.Contains("eth7@", bundle.Output, StringComparison.Ordinal);
        Assert.Contains("mtu 1400", bundle.Output, StringComparison.Ordinal);
        Assert.Contains(",UP", bundle.Output, StringComparison.Ordinal);
        Assert.Contains("inet 192.0.2.7/24 brd 192.0.2.255 scope global eth7", bundle.Output, StringComparison.Ordinal);
        Assert.Contains("inet6 2001:db8::7/64 scope global", bundle.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_one_cannot_be_moved_all_stay()
    {
        Lane.RequiresRoot("an interface of the host's is root's");
        using Bundle bundle = Bundle.Shell("true");
        Ask(bundle, (_name, "eth7"), ("iso-none", "eth8"));

        OciRuntimeException refused = await Assert.ThrowsAsync<OciRuntimeException>(() => bundle.RunAsync());

        Assert.Contains("$.linux.netDevices: RTM_GETLINK(\"iso-none\"): ENODEV", refused.Message, StringComparison.Ordinal);
        (_, string there, _) = await Sandbox.OnHostAsync("ip", "addr", "show", _name);
        Assert.Contains("192.0.2.7/24", there, StringComparison.Ordinal);
        Assert.Contains("2001:db8::7/64", there, StringComparison.Ordinal);
        Assert.Contains(",UP", there, StringComparison.Ordinal);
        Assert.Empty(bundle.Containers.List());
    }

    [Fact]
    public async Task A_name_that_is_taken_is_an_error()
    {
        Lane.RequiresRoot("an interface of the host's is root's");
        using Bundle bundle = Bundle.Shell("true");
        Ask(bundle, (_name, "lo"));

        OciRuntimeException refused = await Assert.ThrowsAsync<OciRuntimeException>(() => bundle.RunAsync());

        Assert.Contains("EEXIST", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, (await Sandbox.OnHostAsync("ip", "link", "show", _name)).ExitCode);
    }

    [Fact]
    public async Task Where_there_is_no_namespace_for_it_nothing_is_made()
    {
        using Bundle bundle = Bundle.Shell("true");
        Ask(bundle, ("lo", "eth7"));
        JsonArray namespaces = bundle.Config["linux"]!["namespaces"]!.AsArray();
        namespaces.Remove(namespaces.Single(one => (string)one!["type"]! == "network"));

        OciRuntimeException refused = await Assert.ThrowsAsync<OciRuntimeException>(() => bundle.RunAsync());

        Assert.Contains("$.linux.netDevices: an interface goes into the container's network namespace", refused.Message, StringComparison.Ordinal);
        Assert.Empty(bundle.Containers.List());
    }

    [Fact]
    public async Task Who_may_not_move_one_is_told()
    {
        Lane.RequiresUnprivileged("root may");
        using Bundle bundle = Bundle.Shell("true");
        Ask(bundle, ("lo", "eth7"));

        OciRuntimeException refused = await Assert.ThrowsAsync<OciRuntimeException>(() => bundle.RunAsync());

        Assert.Contains("$.linux.netDevices: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("EPERM", refused.Message, StringComparison.Ordinal);
        Assert.Empty(bundle.Containers.List());
    }

    private static void Ask(Bundle bundle, params (string Name, string NewName)[] links) =>
        bundle.Config["linux"]!["netDevices"] = new JsonObject(links.Select(link => KeyValuePair.Create(link.Name, (JsonNode?)new JsonObject { ["name"] = link.NewName })));

    private static async Task IpAsync(params string[] arguments)
    {
        (int code, _, string error) = await Sandbox.OnHostAsync("ip", arguments);
        Assert.True(code == 0, error);
    }
}
