using Isolation.Launch;

namespace Isolation.Tests;

/// <summary>
/// What a run of a plan has done so far, as far as the rules ask. Two runs that come to a step in the same state need
/// not be told apart from there on, so this compares by value.
/// </summary>
internal sealed record PlanState
{
    /// <summary>The host has written the identity maps and said so.</summary>
    internal bool MapsWritten { get; init; }

    internal bool JoinedUser { get; init; }

    /// <summary>Processes that are in the namespaces already cannot trace this one (prctl(2), PR_SET_DUMPABLE).</summary>
    internal bool Untraceable { get; init; }

    /// <summary>It leads a session of its own.</summary>
    internal bool OwnSession { get; init; }

    /// <summary>It leads a process group of its own in a session that is not.</summary>
    internal bool OwnGroup { get; init; }

    internal bool IsRootUser { get; init; }

    internal bool IsRootGroup { get; init; }

    /// <summary>Mounts no longer propagate to the host's, nor the other way round.</summary>
    internal bool MountsCut { get; init; }

    /// <summary>How many mounts lie on the root of the process that must be off it when the program starts.</summary>
    internal int Stacked { get; init; }

    /// <summary>Where the scratch file system stands in the old root.</summary>
    internal string? ScratchPlace { get; init; }

    /// <summary>Mounts of the plan's own that a copy of the whole tree has taken along, and that still stand in the copy.</summary>
    internal int TakenAlong { get; init; }

    internal bool Pivoted { get; init; }

    /// <summary>The directory that was entered last by descriptor.</summary>
    internal Slot? Directory { get; init; }

    /// <summary>What must still be done to mounts before the program starts, a bit each: see <see cref="Tests.MountDuties"/>.</summary>
    internal UInt128 MountDuties { get; init; }

    /// <summary>What lies at the descriptor that kernels without mount_setattr remount by.</summary>
    internal Slot? AtRemountDescriptor { get; init; }

    /// <summary>Capabilities dropped from the bounding set.</summary>
    internal ulong Dropped { get; init; }

    /// <summary>The bounding and ambient sets are done with, so that the next change of ids is to the program's user.</summary>
    internal bool AmbientCleared { get; init; }

    internal bool GroupsSet { get; init; }

    internal bool GroupSet { get; init; }

    internal bool UserSet { get; init; }

    internal bool CapabilitiesKept { get; init; }

    /// <summary>They have been set once, to what is granted or to that and what confining takes.</summary>
    internal bool CapabilitiesSet { get; init; }

    /// <summary>CAP_SYS_ADMIN is there to confine the program with, and is not granted.</summary>
    internal bool AdminKept { get; init; }

    /// <summary>A session keyring of its own was asked for.</summary>
    internal bool AskedForKeyring { get; init; }

    /// <summary>Capabilities that were made ambient.</summary>
    internal ulong Raised { get; init; }

    internal bool NoNewPrivileges { get; init; }

    /// <summary>The rules of Landlock are in force.</summary>
    internal bool Landlocked { get; init; }

    /// <summary>The filter on system calls is in force.</summary>
    internal bool Filtered { get; init; }

    /// <summary>Set, and no credential changed since.</summary>
    internal bool DeathSignal { get; init; }

    /// <summary>The host was alive after the death signal was set.</summary>
    internal bool HostSeenAlive { get; init; }

    /// <summary>A process that an init has made: it dies with the init, which dies with the host.</summary>
    internal bool IsUnderInit { get; init; }

    /// <summary>The init beside that process, which only reaps from here on.</summary>
    internal bool IsInit { get; init; }

    /// <summary>The init holds nothing but the way to pass the status on.</summary>
    internal bool InitLetGo { get; init; }

    /// <summary>The terminal is the standard streams.</summary>
    internal bool HasTerminal { get; init; }

    internal bool ControlsTerminal { get; init; }

    /// <summary>How many of the descriptors that the caller asked for stay open.</summary>
    internal int DescriptorsKept { get; init; }

    /// <summary>How many limits are set.</summary>
    internal int Limits { get; init; }

    internal bool UmaskSet { get; init; }

    /// <summary>Ignored signals that were given their default meaning, a bit each.</summary>
    internal ulong SignalsReset { get; init; }

    internal bool SignalsUnblocked { get; init; }

    internal bool DescriptorsClose { get; init; }
}
