namespace Isolation.Cgroups.Tests;

/// <summary>Where a bus is looked for, and what names a slice may have.</summary>
public sealed class SystemdNamesTests
{
    [Theory]
    [InlineData("unix:path=/run/dbus/system_bus_socket", "/run/dbus/system_bus_socket")]
    [InlineData("tcp:host=localhost,port=1;unix:guid=12,path=/a%20b", "/a b")]
    [InlineData("unix:abstract=/tmp/x,guid=1;unix:path=/y", "\0/tmp/x|/y")]
    [InlineData("unix:tmpdir=/tmp", "")]
    [InlineData("", "")]
    public void Addresses(string addresses, string paths) => Assert.Equal(paths, string.Join('|', DBusAddress.PathsOf(addresses)));

    [Fact]
    public void A_bus_is_where_sd_bus_looks_for_it()
    {
        Assert.Equal("unix:path=/run/dbus/system_bus_socket", SystemdClient.AddressesOf(0, _ => null));
        Assert.Equal("unix:path=/run/user/1000/bus", SystemdClient.AddressesOf(1000, _ => null));
        Assert.Equal("/run/a b;c/bus", DBusAddress.PathsOf(SystemdClient.AddressesOf(1000, name => name == "XDG_RUNTIME_DIR" ? "/run/a b;c" : null)).Single());
        Assert.Equal("unix:path=/z", SystemdClient.AddressesOf(1000, name => name == "DBUS_SESSION_BUS_ADDRESS" ? "unix:path=/z" : "/w"));
    }

    [Theory]
    [InlineData("work.slice", true)]
    [InlineData("work-batch.slice", true)]
    [InlineData("-.slice", true)]
    [InlineData("user-1000.slice", true)]
    [InlineData(".slice", false)]
    [InlineData("work", false)]
    [InlineData("work.scope", false)]
    [InlineData("/work.slice", false)]
    [InlineData("a/b.slice", false)]
    [InlineData("-a.slice", false)]
    [InlineData("a-.slice", false)]
    [InlineData("a--b.slice", false)]
    [InlineData("a b.slice", false)]
    [InlineData("ä.slice", false)]
    public void Slices(string name, bool valid) => Assert.Equal(valid, SliceName.IsValid(name));

    [Fact]
    public void A_slice_that_is_none_is_refused_before_anything_is_made() =>
        Assert.Throws<ArgumentException>(() => Cgroup.Create("isolation-x", new() { Pids = 1 }, new() { Driver = CgroupDriver.Systemd, Parent = "/tests" }));

    [Theory]
    [InlineData("/user.slice/app.slice/isolation-7-ab.scope/isolation-host", "/user.slice/app.slice/isolation-7-ab.scope")]
    [InlineData("/system.slice/isolation-7-ab.scope", "/system.slice/isolation-7-ab.scope")]
    [InlineData("/system.slice/session-1.scope", null)]
    [InlineData("/system.slice/isolation-7-ab.scope/isolation-container", null)]
    [InlineData("/isolation-host", null)]
    [InlineData("/", null)]
    public void Our_scope_is_known_by_its_name(string path, string? scope) => Assert.Equal(scope, ProcessScope.ScopeOf(path));
}
