namespace Isolation.Tests;

/// <summary>What is at the edge of what is allowed goes through, and means what it says.</summary>
public class GoodInputTests
{
    [Fact]
    public void Arguments_up_to_the_longest_go_through()
    {
        string longest = new('x', 131071);
        Assert.Equal(longest, Fine().WithCommand("sh", longest).Build().Command[1]);
        Assert.Equal("", Fine().WithCommand("sh", "").Build().Command[1]);
    }

    [Fact]
    public void Ids_up_to_the_last_go_through()
    {
        ContainerSpec spec = Fine().WithUser(4294967294, 4294967294).WithUserMapping(new IdMapping(0, 0, 4294967295)).WithGroupMapping(new(0, 4294967293, 1), new IdMapping(1, 4294967294, 1)).Build();
        Assert.Equal("4294967294:4294967294", spec.User!.ToString());
        Assert.Equal(2, spec.GroupMappings.Length);
    }

    [Fact]
    public void Names_of_64_bytes_and_masks_of_0777_go_through()
    {
        ContainerSpec spec = Fine().WithHostName(new string('h', 64)).WithDomainName("čč").WithUmask(0x1FF).Build();
        Assert.Equal((64, "čč", 0x1FF), (spec.HostName!.Length, spec.DomainName, spec.Umask));
    }

    [Fact]
    public void A_shared_mount_goes_through_with_the_host_user_namespace()
    {
        ContainerSpec spec = Fine().WithUserNs(NamespaceSource.Host).WithBind("/etc", "/data", new() { Propagation = MountPropagation.Shared }).Build();
        Assert.Equal(MountPropagation.Shared, Assert.IsType<BindMount>(Assert.Single(spec.Mounts)).Options.Propagation);
    }

    [Fact]
    public void Everything_is_isolated_unless_said_otherwise()
    {
        ContainerSpec spec = Fine().Build();
        Assert.All(Enum.GetValues<NamespaceKind>(), kind => Assert.True(spec.Namespaces.IsNew(kind), kind.ToString()));
        Assert.True(spec.NoNewPrivileges);
        Assert.Equal(CapabilitySet.Default, spec.Capabilities);
        Assert.Equal(["PATH"], spec.Environment.Keys);
        Assert.Equal(0x12, spec.Umask);
        Assert.Null(spec.User);
    }

    [Theory]
    [InlineData(NamespaceKind.User), InlineData(NamespaceKind.Pid), InlineData(NamespaceKind.Network), InlineData(NamespaceKind.Ipc)]
    [InlineData(NamespaceKind.Mount), InlineData(NamespaceKind.Uts), InlineData(NamespaceKind.Cgroup), InlineData(NamespaceKind.Time)]
    public void Each_kind_of_namespace_is_set_by_itself(NamespaceKind kind)
    {
        ContainerSpec spec = Fine().WithNamespace(kind, NamespaceSource.Host).Build();
        Assert.Equal([kind], Enum.GetValues<NamespaceKind>().Where(spec.Namespaces.IsHost));
        Assert.DoesNotContain(Enum.GetValues<NamespaceKind>(), spec.Namespaces.IsJoined);
        Assert.True(Fine().WithNamespace(kind, NamespaceSource.OfProcess(1)).WithNamespace(kind, null).Build().Namespaces.IsNew(kind));
    }

    [Fact]
    public void A_built_spec_stays_as_it_is_when_the_builder_goes_on()
    {
        ContainerBuilder builder = Fine();
        ContainerSpec first = builder.Build();
        Assert.Same(first, builder.Build());
        ContainerSpec second = builder.WithUmask(0).WithTmpfs("/data").WithEnvironment("A", "b").Build();
        Assert.NotSame(first, second);
        Assert.Equal((0x12, 0, 1), (first.Umask, first.Mounts.Length, first.Environment.Count));
        Assert.Equal((0, 1, 2), (second.Umask, second.Mounts.Length, second.Environment.Count));
    }

    [Fact]
    public void A_later_value_of_a_variable_replaces_the_earlier()
    {
        ContainerSpec spec = Fine().WithEnvironment("PATH", "/bin").WithEnvironment("PATH", "/sbin").Build();
        Assert.Equal("/sbin", Assert.Single(spec.Environment).Value);
    }

    [Fact]
    public void Name_servers_and_host_entries_are_kept_in_their_canonical_form()
    {
        ContainerSpec spec = Fine().WithDns("2001:DB8:0::1").WithHostEntry("db", "192.0.2.1").Build();
        Assert.Equal("2001:db8::1", Assert.Single(spec.DnsServers));
        Assert.Equal(("db", "192.0.2.1"), Assert.Single(spec.ExtraHosts));
    }

    private static ContainerBuilder Fine() => new ContainerBuilder().FromHost().WithCommand("sh");
}
