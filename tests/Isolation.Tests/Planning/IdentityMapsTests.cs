using System.Collections.Immutable;
using Isolation.Launch;

namespace Isolation.Tests;

/// <summary>Which map a caller gets, whether groups can be set in it, and who must write it.</summary>
public class IdentityMapsTests
{
    private static readonly HostFacts Root = new();
    private static readonly HostFacts User = new() { UserId = 1000, GroupId = 100, Capabilities = CapabilitySet.None };
    private static readonly HostFacts NestedRoot = new() { UserIds = [new(0, 1000, 1), new(1, 100000, 65536)], GroupIds = [new(0, 100, 1)] };

    /// <summary>Case; spec; host; users; groups; setgroups allowed; tools needed.</summary>
    private static readonly (string Name, ContainerSpec Spec, HostFacts Host, string Users, string Groups, bool SetGroups, bool Tools)[] Cases =
    [
        ("root keeps every id", new(), Root, "0 0 4294967295", "0 0 4294967295", true, false),
        ("root of a container keeps the ids it has", new(), NestedRoot, "0 0 1,1 1 65536", "0 0 1", true, false),
        ("root without CAP_SETGID is like any user", new(), Root with { Capabilities = CapabilitySet.All.Without(Capability.Setgid) }, "0 0 1", "0 0 1", false, false),
        ("root without CAP_SETUID is like any user", new(), Root with { Capabilities = CapabilitySet.All.Without(Capability.Setuid) }, "0 0 1", "0 0 1", false, false),
        ("a user is root", new(), User, "0 1000 1", "0 100 1", false, false),
        ("a user may be another id that is its own", Mapped([new(7, 1000, 1)], [new(8, 100, 1)]), User, "7 1000 1", "8 100 1", false, false),
        ("a user needs tools for an id that is not its own", Mapped([new(0, 1001, 1)], [new(0, 100, 1)]), User, "0 1001 1", "0 100 1", true, true),
        ("a user needs tools for a group that is not its own", Mapped([new(0, 1000, 1)], [new(0, 5, 1)]), User, "0 1000 1", "0 5 1", true, true),
        ("a user needs tools for more than one id", Mapped([new(0, 1000, 1), new(1, 100000, 65536)], [new(0, 100, 1)]), User, "0 1000 1,1 100000 65536", "0 100 1", true, true),
        ("root writes ranges itself", Mapped([new(0, 100000, 65536)], [new(0, 200000, 65536)]), Root, "0 100000 65536", "0 200000 65536", true, false),
        ("subordinate ids are the host's", new() { SubordinateIds = true }, User with { SubordinateUsers = [new(0, 1000, 1), new(1, 5, 2)], SubordinateGroups = [new(0, 100, 1), new(1, 6, 2)] }, "0 1000 1,1 5 2", "0 100 1,1 6 2", true, true),
    ];

    public static TheoryData<string> Names => [.. Cases.Select(test => test.Name)];

    [Theory, MemberData(nameof(Names))]
    public void A_caller_gets_the_map_it_may_have(string name)
    {
        (_, ContainerSpec spec, HostFacts host, string users, string groups, bool setGroups, bool tools) = Cases.Single(test => test.Name == name);
        IdentityMaps maps = IdentityMaps.For(spec, host);
        Assert.Equal((users, groups, setGroups, tools), (Line(maps.Users), Line(maps.Groups), maps.AllowsSetGroups, maps.NeedsMapTools));
    }

    [Fact]
    public void An_id_is_in_a_map_if_it_is_in_a_range_of_it()
    {
        ImmutableArray<IdMapping> map = [new(0, 5, 1), new(10, 100, 5), new(4294967290, 1, 4)];
        Assert.Equal([0u, 10u, 14u, 4294967290u, 4294967293u], new uint[] { 0, 1, 5, 9, 10, 14, 15, 100, 4294967289, 4294967290, 4294967293, 4294967294 }.Where(id => IdentityMaps.Has(map, id)));
    }

    [Fact]
    public void The_text_of_a_map_is_a_line_a_range() => Assert.Equal("0 1 2\n3 4 5\n", IdentityMaps.Text([new(0, 1, 2), new(3, 4, 5)]));

    private static ContainerSpec Mapped(ImmutableArray<IdMapping> users, ImmutableArray<IdMapping> groups) => new() { UserMappings = users, GroupMappings = groups };

    private static string Line(ImmutableArray<IdMapping> map) => IdentityMaps.Text(map).TrimEnd().Replace('\n', ',');
}
