using System.Collections.Immutable;
using System.Globalization;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// Where containers get ids of their own from: the ranges that <c>/etc/subuid</c> and <c>/etc/subgid</c> give the user <c>isolation</c>, where the caller may set
/// any id and there is such a user; else, for such a caller, what systemd keeps for containers (UIDS-GIDS.md, 524288 to 1879048191) and those files give nobody;
/// and the caller's own ranges for any other.
/// </summary>
internal static class IdRanges
{
    private const string Owner = "isolation", Users = "/etc/subuid", Groups = "/etc/subgid";
    private const uint First = 0x0008_0000, Last = 0x6FFF_FFFF;
    private const int Guesses = 64;

    /// <summary>Where none has been claimed, because it is only told what would be.</summary>
    internal static IdRange Example { get; } = new(First, First, null);

    /// <exception cref="ContainerException">There is no range of that length.</exception>
    internal static IdRange Take(OwnIds ids, HostFacts host)
    {
        (ImmutableArray<(uint First, uint Count)> users, ImmutableArray<(uint First, uint Count)> groups, List<(uint First, uint Count)> others) = Pool(host);
        IdRange? chosen = null;
        try
        {
            if (ClaimDirectory.Of(ClaimDirectory.Ranges).TryChoose(names => (chosen = Choose(users, groups, [.. others, .. names.Select(Parse)], ids.Count)) is { } range ? Name(range.User, ids.Count) : null, out Claim? claim))
                return chosen! with { Claim = claim };
        }
        catch (LinuxException exception)
        {
            throw new ContainerException(ContainerErrorReason.IdentityMapFailed, "Cannot claim a range of ids", exception, exception.Remedy);
        }

        string pool = string.Join(", ", users.Select(range => FormattableString.Invariant($"{range.First}-{range.First + range.Count - 1}")));
        throw new ContainerException(ContainerErrorReason.IdentityMapFailed, FormattableString.Invariant($"No {ids.Count} ids in a row are left for a container of its own: the ranges are {(pool.Length == 0 ? "none" : pool)}"),
            null, $"ask WithOwnIds for fewer, or give {(host.Has(Capability.Setuid) ? $"the user {Owner}" : "this user")} more in {Users} and {Groups} (usermod --add-subuids, --add-subgids)");
    }

    /// <summary>The map of a container, of a range that is claimed or, to be told of, would be.</summary>
    internal static ImmutableArray<IdMapping> Map(OwnIds ids, uint first) => [new(ids.First, first, ids.Count)];

    /// <summary>A free range; null where there is none. At random first, so that others who choose elsewhere seldom choose the same.</summary>
    internal static IdRange? Choose(ImmutableArray<(uint First, uint Count)> users, ImmutableArray<(uint First, uint Count)> groups, List<(uint First, uint Count)> taken, uint count)
    {
        for (int i = 0; i < users.Length && i < groups.Length; i++)
        {
            uint slots = Math.Min(users[i].Count, groups[i].Count) / count;
            if (slots == 0) continue;
            for (int guess = 0; guess < Guesses; guess++)
                if (At((uint)Random.Shared.NextInt64(slots)) is { } range) return range;
            for (uint slot = 0; slot < slots; slot++)
                if (At(slot) is { } range) return range;

            IdRange? At(uint slot)
            {
                uint user = users[i].First + slot * count, group = groups[i].First + slot * count;
                return taken.Exists(range => Overlaps(range, user, count) || Overlaps(range, group, count)) ? null : new(user, group, null);
            }
        }

        return null;
    }

    private static bool Overlaps((uint First, uint Count) range, uint first, uint count) => first < range.First + (ulong)range.Count && range.First < first + (ulong)count;

    private static string Name(uint first, uint count) => string.Create(CultureInfo.InvariantCulture, $"{first}-{count}");

    private static (uint First, uint Count) Parse(string name) =>
        name.Split('-') is [{ } first, { } count] && uint.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out uint start) && uint.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out uint length) ? (start, length) : (0, 0);

    /// <returns>What may be taken of users and of groups, and what of it is somebody else's.</returns>
    private static (ImmutableArray<(uint First, uint Count)> Users, ImmutableArray<(uint First, uint Count)> Groups, List<(uint First, uint Count)> Others) Pool(HostFacts host)
    {
        string users = SmallFile.ReadText(Users), groups = SmallFile.ReadText(Groups);
        bool privileged = host.Has(Capability.Setuid) && host.Has(Capability.Setgid);
        if (!privileged) return (SubordinateIds.Parse(users, Environment.UserName, host.UserId), SubordinateIds.Parse(groups, Environment.UserName, host.UserId), []);
        ImmutableArray<(uint, uint)> ownUsers = SubordinateIds.Parse(users, Owner, uint.MaxValue), ownGroups = SubordinateIds.Parse(groups, Owner, uint.MaxValue);
        if (!ownUsers.IsEmpty && !ownGroups.IsEmpty) return (ownUsers, ownGroups, []);
        if (IdentityMaps.Has(host.UserIds, Last) && IdentityMaps.Has(host.GroupIds, Last))
            return ([(First, Last - First + 1)], [(First, Last - First + 1)], [.. SubordinateIds.ParseAll(users), .. SubordinateIds.ParseAll(groups)]);

        // In a container there are no more ids than it was given: the upper half of the largest range.
        return (UpperHalf(host.UserIds), UpperHalf(host.GroupIds), []);
    }

    private static ImmutableArray<(uint First, uint Count)> UpperHalf(ImmutableArray<IdMapping> ids)
    {
        IdMapping largest = ids.MaxBy(range => range.Count)!;
        return largest.Count < 2 ? [] : [(largest.ContainerId + largest.Count / 2, largest.Count - largest.Count / 2)];
    }
}
