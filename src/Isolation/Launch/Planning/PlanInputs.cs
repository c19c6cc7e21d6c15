using System.Collections.Immutable;

namespace Isolation.Launch;

/// <summary>All that a plan is a function of.</summary>
internal sealed record PlanInputs(ContainerSpec Spec, HostFacts Host)
{
    /// <summary>Targets of mounts that the root directory lacks, relative to it.</summary>
    internal ImmutableHashSet<string> MissingTargets { get; init; } = [];

    /// <summary>The path of the root directory is a symbolic link.</summary>
    internal bool RootIsLink { get; init; }

    /// <summary>Whether the root stands where its directory is until it is made the root, and not over the host's: whoever joins the mount namespace by then sees both.</summary>
    internal bool ShowsRoot => Spec is { OnStage: not null, Root: DirectoryRoot { Path: not "/" } } && !RootIsLink;

    /// <summary>What the layers over directories are to be like at their tops, where that is not <see cref="LayerTop.Usual"/>.</summary>
    internal ImmutableSortedDictionary<string, LayerTop> LayerTops { get; init; } = ImmutableSortedDictionary<string, LayerTop>.Empty;

    /// <summary>Sources of bind mounts that are not directories.</summary>
    internal ImmutableHashSet<string> FileSources { get; init; } = [];

    /// <summary>The host's mounts, for kernels without mount_setattr: what is remounted must keep the flags it has.</summary>
    internal ImmutableArray<HostMount> Mounts { get; init; } = [];

    internal Identity Identity { get; init; } = Identity.Root;

    /// <summary>The ids that the container has to itself; null where it has none such. No plan depends on which they are: the host writes the maps.</summary>
    internal IdRange? Range { get; init; }

    /// <summary>What the identity maps of its user namespace are, where it is a new one.</summary>
    internal IdentityMaps Maps => IdentityMaps.For(Spec, Host, Range);

    /// <summary>Its SELinux labels; null where it has none.</summary>
    internal SelinuxLabels? Labels { get; init; }

    /// <summary>The binds that are seen through the container's identity map.</summary>
    internal ImmutableArray<BindMount> MappedBinds
    {
        get;
        init
        {
            field = value;
            Passed = new(this);
        }
    } = [];

    /// <summary>How a root of layers is made; null for another root.</summary>
    internal RootWay? Way
    {
        get;
        init
        {
            field = value;
            Passed = new(this);
        }
    }

    /// <summary>Where the host keeps what is this container's alone; null where there is no such thing.</summary>
    internal string? Directory { get; init; }

    internal PassedDescriptors Passed { get => field ??= new(this); private init; }

    internal bool NewUser => Spec.Namespaces.IsNew(NamespaceKind.User);

    /// <summary>Whether device files can be made: never in a user namespace.</summary>
    internal bool CanMakeDevices => Spec.Namespaces.IsHost(NamespaceKind.User) && Host.Has(Capability.Mknod) && Host.HasAllIds;

    /// <summary>
    /// Whether the bounding set can be made smaller (CAP_SETPCAP). A caller without it in its own user namespace keeps its
    /// own, which gives a program nothing as long as no_new_privs is on.
    /// </summary>
    internal bool CanDropBounding => !Spec.Namespaces.IsHost(NamespaceKind.User) || Host.Has(Capability.Setpcap);

    /// <summary>
    /// What system calls are filtered by; null where they are not. Where new privileges are allowed a filter takes CAP_SYS_ADMIN (seccomp(2)), and the
    /// default is left out where there is none.
    /// </summary>
    internal SeccompPolicy? Filter => Spec.Seccomp is null && Spec.Interception is null && !Spec.NoNewPrivileges && !HasAdmin ? null : Spec.Filter;

    /// <summary>Whether a capability is needed to confine the program, because new privileges are not forbidden.</summary>
    internal bool ConfinesByCapability => !Spec.NoNewPrivileges && HasAdmin && (Filter ?? (object?)Spec.Landlock) is not null;

    /// <summary>Root of a user namespace of the container's own has it.</summary>
    internal bool HasAdmin => !Spec.Namespaces.IsHost(NamespaceKind.User) || Host.Has(Capability.SysAdmin);

    /// <summary>Whether a plan made from these would be the same. What is read once a process is not compared.</summary>
    internal bool Matches(PlanInputs other) =>
        ReferenceEquals(Spec, other.Spec)
        && Host.UserId == other.Host.UserId && Host.GroupId == other.Host.GroupId
        && Host.SubordinateUsers.AsSpan().SequenceEqual(other.Host.SubordinateUsers.AsSpan())
        && Host.SubordinateGroups.AsSpan().SequenceEqual(other.Host.SubordinateGroups.AsSpan())
        && Host.ResolvConf == other.Host.ResolvConf
        && Host.Mounts.AsSpan().SequenceEqual(other.Host.Mounts.AsSpan())
        && Host.RootEntries.AsSpan().SequenceEqual(other.Host.RootEntries.AsSpan())
        && Mounts.AsSpan().SequenceEqual(other.Mounts.AsSpan())
        && RootIsLink == other.RootIsLink
        && LayerTops.SequenceEqual(other.LayerTops)
        && Way == other.Way
        && Directory == other.Directory
        && MissingTargets.SetEquals(other.MissingTargets)
        && FileSources.SetEquals(other.FileSources)
        && Labels == other.Labels
        && MappedBinds.AsSpan().SequenceEqual(other.MappedBinds.AsSpan())
        && Identity.Matches(other.Identity);
}
