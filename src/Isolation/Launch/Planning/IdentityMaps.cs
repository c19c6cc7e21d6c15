using System.Collections.Immutable;
using System.Text;

namespace Isolation.Launch;

/// <summary>
/// The identity maps of a new user namespace. A caller that may set ids maps every id it has onto itself, so that files
/// keep their owners; any other maps root onto itself alone, or onto itself and its subordinate ids.
/// </summary>
internal sealed record IdentityMaps(ImmutableArray<IdMapping> Users, ImmutableArray<IdMapping> Groups)
{
    /// <summary>setgroups(2) is denied before a caller without privilege may write a group map (CVE-2014-8989).</summary>
    internal required bool AllowsSetGroups { get; init; }

    /// <summary>newuidmap and newgidmap write the maps, from the ranges in /etc/subuid and /etc/subgid.</summary>
    internal required bool NeedsMapTools { get; init; }

    /// <summary>Whether every id is itself outside.</summary>
    internal bool AreOntoThemselves => Users.Concat(Groups).All(range => range.ContainerId == range.HostId);

    internal bool HasRootUser => Has(Users, 0);

    internal bool HasRootGroup => Has(Groups, 0);

    internal static bool Has(ImmutableArray<IdMapping> map, uint id)
    {
        foreach (IdMapping range in map)
            if (id >= range.ContainerId && id - range.ContainerId < range.Count) return true;
        return false;
    }

    /// <summary>What an id of the container is outside; null where it is nobody there.</summary>
    internal static uint? ToHost(ImmutableArray<IdMapping> map, uint id)
    {
        foreach (IdMapping range in map)
            if (id >= range.ContainerId && id - range.ContainerId < range.Count) return range.HostId + (id - range.ContainerId);
        return null;
    }

    internal static IdentityMaps For(ContainerSpec spec, HostFacts host, IdRange? range = null)
    {
        bool privileged = host.Has(Capability.Setuid) && host.Has(Capability.Setgid);
        ImmutableArray<IdMapping> users = spec.UserMappings, groups = spec.GroupMappings;
        if (spec.SubordinateIds) (users, groups) = (host.SubordinateUsers, host.SubordinateGroups);
        if (spec.OwnIds is { } ids) (users, groups) = (IdRanges.Map(ids, (range ?? IdRanges.Example).User), IdRanges.Map(ids, (range ?? IdRanges.Example).Group));
        if (users.IsEmpty) users = privileged ? Same(host.UserIds) : [new(0, host.UserId, 1)];
        if (groups.IsEmpty) groups = privileged ? Same(host.GroupIds) : [new(0, host.GroupId, 1)];
        bool self = IsSelf(users, host.UserId) && IsSelf(groups, host.GroupId);
        return new(users, groups)
        {
            AllowsSetGroups = host.AllowsSetGroups && (privileged || !self),
            NeedsMapTools = !privileged && !self,
        };
    }

    internal static string Text(ImmutableArray<IdMapping> map)
    {
        StringBuilder text = new();
        foreach (IdMapping range in map) text.Append(range).Append('\n');
        return text.ToString();
    }

    // The kernel lets anybody map the one id that is their own.
    private static bool IsSelf(ImmutableArray<IdMapping> map, uint id) =>
        map.Length == 1 && map[0].Count == 1 && map[0].HostId == id;

    private static ImmutableArray<IdMapping> Same(ImmutableArray<IdMapping> ids) =>
        [.. ids.Select(range => range with { HostId = range.ContainerId })];
}
