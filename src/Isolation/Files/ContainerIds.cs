using System.Collections.Immutable;
using System.Globalization;

namespace Isolation;

/// <summary>Which ids of the host a container's are, by the maps of its user namespace (user_namespaces(7)).</summary>
internal sealed record ContainerIds(ImmutableArray<IdMapping> Users, ImmutableArray<IdMapping> Groups)
{
    /// <summary>What the kernel shows in place of an id that is not mapped.</summary>
    private const uint Overflow = 65534;

    internal uint? RootUser => ToHost(Users, 0);

    internal uint? RootGroup => ToHost(Groups, 0);

    internal static ContainerIds Of(Container container)
    {
        if (container.Spec.Namespaces.IsHost(NamespaceKind.User)) return new(All, All);
        try
        {
            // As this process sees them, whoever wrote them.
            if (container.IsRunning) return new(Read(container.ProcessId, "uid_map"), Read(container.ProcessId, "gid_map"));
        }
        catch (IOException)
        {
            // It has just ended.
        }

        return container.Launch.Maps is { } maps ? new(maps.Users, maps.Groups) : new(All, All);
    }

    internal uint UserInside(uint id) => ToContainer(Users, id);

    internal uint GroupInside(uint id) => ToContainer(Groups, id);

    private static ImmutableArray<IdMapping> All { get; } = [new(0, 0, uint.MaxValue)];

    private static uint? ToHost(ImmutableArray<IdMapping> map, uint id)
    {
        foreach (IdMapping range in map)
            if (id >= range.ContainerId && id - range.ContainerId < range.Count) return range.HostId + (id - range.ContainerId);
        return null;
    }

    private static uint ToContainer(ImmutableArray<IdMapping> map, uint id)
    {
        foreach (IdMapping range in map)
            if (id >= range.HostId && id - range.HostId < range.Count) return range.ContainerId + (id - range.HostId);
        return Overflow;
    }

    private static ImmutableArray<IdMapping> Read(int processId, string file) =>
        [.. File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/{file}"))
            .Select(line => Array.ConvertAll(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), field => uint.Parse(field, CultureInfo.InvariantCulture)))
            .Select(fields => new IdMapping(fields[0], fields[1], fields[2]))];
}
