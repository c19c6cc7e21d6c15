using System.Collections.Immutable;
using System.Globalization;
using Isolation.Linux;

namespace Isolation;

/// <summary>The ranges of ids that <c>/etc/subuid</c> and <c>/etc/subgid</c> give a user (subuid(5)).</summary>
internal static class SubordinateIds
{
    /// <summary>Root of the container is the caller; ids from 1 on are the caller's ranges, one after the other.</summary>
    /// <exception cref="ContainerException">The caller has no range.</exception>
    internal static (ImmutableArray<IdMapping> Users, ImmutableArray<IdMapping> Groups) Map(HostFacts host)
    {
        string name = Environment.UserName;
        return (Map(host.UserId, Ranges("/etc/subuid", name, host.UserId)), Map(host.GroupId, Ranges("/etc/subgid", name, host.UserId)));
    }

    /// <summary>Parses lines of <c>name:first:count</c>; a name may be written as a number.</summary>
    internal static ImmutableArray<(uint First, uint Count)> Parse(string text, string name, uint userId)
    {
        string number = userId.ToString(CultureInfo.InvariantCulture);
        return Parse(text, owner => owner == name || owner == number);
    }

    /// <summary>Those of everybody.</summary>
    internal static ImmutableArray<(uint First, uint Count)> ParseAll(string text) => Parse(text, _ => true);

    private static ImmutableArray<(uint First, uint Count)> Parse(string text, Predicate<string> isOwner)
    {
        ImmutableArray<(uint, uint)>.Builder ranges = ImmutableArray.CreateBuilder<(uint, uint)>();
        foreach (string line in text.Split('\n'))
        {
            string[] fields = line.Trim().Split(':');
            if (fields.Length != 3 || !isOwner(fields[0])) continue;
            if (uint.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out uint first)
                && uint.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out uint count)
                && count > 0 && (ulong)first + count <= uint.MaxValue)
            {
                ranges.Add((first, count));
            }
        }

        return ranges.ToImmutable();
    }

    internal static ImmutableArray<IdMapping> Map(uint self, ImmutableArray<(uint First, uint Count)> ranges)
    {
        ImmutableArray<IdMapping>.Builder map = ImmutableArray.CreateBuilder<IdMapping>();
        map.Add(new(0, self, 1));
        uint next = 1;
        foreach ((uint first, uint count) in ranges)
        {
            map.Add(new(next, first, count));
            next += count;
        }

        return map.ToImmutable();
    }

    private static ImmutableArray<(uint, uint)> Ranges(string path, string name, uint userId)
    {
        ImmutableArray<(uint, uint)> ranges = Parse(SmallFile.ReadText(path), name, userId);
        if (!ranges.IsEmpty) return ranges;
        string option = path == "/etc/subuid" ? "--add-subuids" : "--add-subgids";
        throw new ContainerException(ContainerErrorReason.IdentityMapFailed, $"The user '{name}' has no subordinate ids in {path}", null,
            $"give it a range (usermod {option} 100000-165535 {name}), or leave WithSubordinateIds out and have one id");
    }
}
