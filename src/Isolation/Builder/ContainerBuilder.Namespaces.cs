using System.Collections.Immutable;

namespace Isolation;

public sealed partial class ContainerBuilder
{
    /// <summary>Where the user namespace comes from: new by default.</summary>
    public ContainerBuilder WithUserNs(NamespaceSource? source = null) => WithNamespace(NamespaceKind.User, source);

    /// <summary>Where the pid namespace comes from: new by default, with the program as its first process.</summary>
    public ContainerBuilder WithPidNs(NamespaceSource? source = null) => WithNamespace(NamespaceKind.Pid, source);

    /// <summary>Where the network namespace comes from: new by default, with the loopback interface up and no other.</summary>
    public ContainerBuilder WithNetNs(NamespaceSource? source = null) => WithNamespace(NamespaceKind.Network, source);

    /// <summary>Where the ipc namespace comes from: new by default.</summary>
    public ContainerBuilder WithIpcNs(NamespaceSource? source = null) => WithNamespace(NamespaceKind.Ipc, source);

    /// <summary>
    /// Where the mount namespace comes from: new by default. With the host's, or one that is joined, the container sees
    /// what is there, and takes no mounts and no root of its own.
    /// </summary>
    public ContainerBuilder WithMntNs(NamespaceSource? source = null) => WithNamespace(NamespaceKind.Mount, source);

    /// <summary>Where the uts namespace comes from: new by default.</summary>
    public ContainerBuilder WithUtsNs(NamespaceSource? source = null) => WithNamespace(NamespaceKind.Uts, source);

    /// <summary>Where the cgroup namespace comes from: new by default.</summary>
    public ContainerBuilder WithCgroupNs(NamespaceSource? source = null) => WithNamespace(NamespaceKind.Cgroup, source);

    /// <summary>Where the time namespace comes from: new by default, without offsets.</summary>
    public ContainerBuilder WithTimeNs(NamespaceSource? source = null) => WithNamespace(NamespaceKind.Time, source);

    /// <summary>A new time namespace in which clocks are ahead of the host's, or behind it (time_namespaces(7), Linux 5.6).</summary>
    /// <param name="boot">Added to CLOCK_BOOTTIME, which is also what uptime shows. The sum must not be negative.</param>
    /// <param name="monotonic">Added to CLOCK_MONOTONIC.</param>
    public ContainerBuilder WithTimeOffsets(TimeSpan boot, TimeSpan monotonic) =>
        Set(Draft with { Namespaces = Draft.Namespaces.With(NamespaceKind.Time, NamespaceSource.New), BootTimeOffset = boot, MonotonicTimeOffset = monotonic });

    /// <summary>Where a namespace comes from; null for a new one.</summary>
    public ContainerBuilder WithNamespace(NamespaceKind kind, NamespaceSource? source)
    {
        if (!Enum.IsDefined(kind)) throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such kind of namespace.");
        return Set(Draft with { Namespaces = Draft.Namespaces.With(kind, source ?? NamespaceSource.New) });
    }

    /// <summary>Joins several namespaces of a running container.</summary>
    public ContainerBuilder JoinNamespacesOf(Container container, params IReadOnlyList<NamespaceKind> kinds)
    {
        ArgumentNullException.ThrowIfNull(kinds);
        NamespaceSource source = NamespaceSource.Of(container);
        foreach (NamespaceKind kind in kinds) WithNamespace(kind, source);
        return this;
    }

    /// <summary>The host name; the container's id by default. Needs a new uts namespace.</summary>
    /// <param name="name">1 to 64 bytes.</param>
    public ContainerBuilder WithHostName(string name) => Set(Draft with { HostName = PathText.HostName(name, nameof(name)) });

    /// <summary>The NIS domain name; none by default. Needs a new uts namespace.</summary>
    /// <param name="name">1 to 64 bytes.</param>
    public ContainerBuilder WithDomainName(string name) => Set(Draft with { DomainName = PathText.HostName(name, nameof(name)) });

    /// <summary>
    /// The user ids of the new user namespace. By default a caller who may set ids maps every id to itself, and any
    /// other maps root of the container to itself.
    /// </summary>
    public ContainerBuilder WithUserMapping(params IReadOnlyList<IdMapping> map) => Set(Draft with { OwnIds = null, UserMappings = Checked(map, nameof(map)) });

    /// <summary>The group ids of the new user namespace; see <see cref="WithUserMapping"/>.</summary>
    public ContainerBuilder WithGroupMapping(params IReadOnlyList<IdMapping> map) => Set(Draft with { OwnIds = null, GroupMappings = Checked(map, nameof(map)) });

    /// <summary>
    /// Maps root of the container to the caller, and ids from 1 on to the caller's ranges in <c>/etc/subuid</c> and
    /// <c>/etc/subgid</c> (subuid(5)). Needs newuidmap and newgidmap, unless the caller may set ids.
    /// </summary>
    public ContainerBuilder WithSubordinateIds() => Set(Draft with { OwnIds = null, SubordinateIds = true });

    /// <summary>
    /// Gives the container ids that no other container of this user has: 0 and those after it are a range of the host that is claimed for as long as it lives. What
    /// gets out of it is nobody on the host, and nobody to other containers. The range is of those that <c>/etc/subuid</c> and <c>/etc/subgid</c> give the user
    /// <c>isolation</c>, where the caller may set ids and there are such; else, for such a caller, of 524288 to 1879048191 less what is there for others; for any
    /// other caller of its own. What was said of identity maps before is forgotten. Layers of images, and volumes, show their owners as they are in the image where the caller has CAP_SYS_ADMIN; see also <see cref="BindOptions.MapIds"/>.
    /// </summary>
    /// <param name="count">How many, 1 to 16777216. A caller without privilege has 65536 for all its containers, as a rule.</param>
    public ContainerBuilder WithOwnIds(int count = 65536) => count is >= 1 and <= 1 << 24
        ? Set(Draft with { OwnIds = new(0, (uint)count), UserMappings = [], GroupMappings = [], SubordinateIds = false })
        : throw new ArgumentOutOfRangeException(nameof(count), count, "A range has 1 to 16777216 ids.");

    private static ImmutableArray<IdMapping> Checked(IReadOnlyList<IdMapping> map, string parameter)
    {
        ArgumentNullException.ThrowIfNull(map, parameter);
        for (int i = 0; i < map.Count; i++)
        {
            IdMapping range = map[i];
            if (range.Count == 0) throw new ArgumentException($"The range '{range}' maps no id.", parameter);
            if (range.ContainerId + (ulong)range.Count > uint.MaxValue || range.HostId + (ulong)range.Count > uint.MaxValue)
                throw new ArgumentException($"The range '{range}' goes beyond the last id, 4294967294.", parameter);
            for (int j = 0; j < i; j++)
                if (range.Overlaps(map[j])) throw new ArgumentException($"The ranges '{map[j]}' and '{range}' overlap.", parameter);
        }

        return [.. map];
    }
}
