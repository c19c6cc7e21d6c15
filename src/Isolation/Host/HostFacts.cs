using System.Collections.Immutable;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// What a plan depends on besides the spec: the kernel, the calling process and its mounts. Data only, so that a plan
/// for any host can be made and checked on any other.
/// </summary>
internal sealed record HostFacts
{
    internal TargetAbi Abi { get; init; } = TargetAbi.X64;

    internal uint UserId { get; init; }

    internal uint GroupId { get; init; }

    /// <summary>Effective capabilities in the caller's user namespace.</summary>
    internal CapabilitySet Capabilities { get; init; } = CapabilitySet.All;

    /// <summary>The highest capability the kernel knows.</summary>
    internal int LastCapability { get; init; } = 40;

    /// <summary>The ids that exist in the caller's user namespace.</summary>
    internal ImmutableArray<IdMapping> UserIds { get; init; } = [new(0, 0, uint.MaxValue)];

    /// <summary>Whether every id is itself on the machine, as in no user namespace but the first.</summary>
    internal bool HasAllIds => UserIds is [{ ContainerId: 0, HostId: 0, Count: uint.MaxValue }];

    internal ImmutableArray<IdMapping> GroupIds { get; init; } = [new(0, 0, uint.MaxValue)];

    /// <summary>The map that <see cref="ContainerBuilder.WithSubordinateIds"/> asks for; only read where it does.</summary>
    internal ImmutableArray<IdMapping> SubordinateUsers { get; init; } = [];

    internal ImmutableArray<IdMapping> SubordinateGroups { get; init; } = [];

    /// <summary>setgroups(2) is not denied in the caller's user namespace, and so not in those made in it (user_namespaces(7)).</summary>
    internal bool AllowsSetGroups { get; init; } = true;

    /// <summary>openat2(2), Linux 5.6; old container filters refuse it.</summary>
    internal bool HasOpenAt2 { get; init; } = true;

    /// <summary>mount_setattr(2), Linux 5.12.</summary>
    internal bool HasMountSetAttr { get; init; } = true;

    /// <summary>Of Landlock's interface; 0 where the kernel has none, or a filter hides it (landlock(7)).</summary>
    internal int LandlockVersion { get; init; } = 8;

    /// <summary>Where a process says which AppArmor profile it executes under: of its own from Linux 5.8 on, before that shared with other modules; null where AppArmor is not there.</summary>
    internal string? AppArmorFile { get; init; }

    /// <summary>The control groups that are mounted.</summary>
    internal CgroupHierarchies Hierarchies { get; init; } = CgroupHierarchies.None;

    /// <summary>Whether the kernel was booted with SELinux.</summary>
    internal bool HasSelinux { get; init; }

    /// <summary>SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19.</summary>
    internal bool HasKillableListeners { get; init; } = true;

    /// <summary>overlayfs takes its lower directories one by one, as <c>lowerdir+</c>: Linux 6.5.</summary>
    internal bool HasLowerDirAppend { get; init; } = true;

    /// <summary>CLOSE_RANGE_CLOEXEC, Linux 5.11.</summary>
    internal bool HasCloseRangeCloexec { get; init; } = true;

    /// <summary>time_namespaces(7), Linux 5.6 and CONFIG_TIME_NS.</summary>
    internal bool HasTimeNamespaces { get; init; } = true;

    internal bool HasCgroupNamespaces { get; init; } = true;

    /// <summary>POSIX message queues are built in.</summary>
    internal bool HasMessageQueues { get; init; } = true;

    /// <summary>Signals that the calling process ignores, which a child would inherit.</summary>
    internal ImmutableArray<int> IgnoredSignals { get; init; } = [Isolation.Linux.Abi.SIGPIPE];

    /// <summary>Which of the paths that are masked by default exist here; true for a directory.</summary>
    internal ImmutableSortedDictionary<string, bool> MaskedPaths { get; init; } = ImmutableSortedDictionary<string, bool>.Empty;

    /// <summary>Which of the paths that are read-only by default exist here.</summary>
    internal ImmutableArray<string> ReadOnlyPaths { get; init; } = [];

    /// <summary>The mounts beneath <c>/</c>, outermost first; only read for a root made of the host's files.</summary>
    internal ImmutableArray<HostMount> Mounts { get; init; } = [];

    /// <summary>The entries of <c>/</c>; only read for a root made of the host's files.</summary>
    internal ImmutableArray<HostRootEntry> RootEntries { get; init; } = [];

    /// <summary>The host's name servers and search domains, for <c>/etc/resolv.conf</c>.</summary>
    internal string ResolvConf { get; init; } = "";

    /// <summary>Those that the kernel knows.</summary>
    internal CapabilitySet KnownCapabilities => new(ulong.MaxValue >> (63 - Math.Min(LastCapability, 63)));

    internal bool Has(Capability capability) => Capabilities.Has((int)capability);
}
