using System.Collections.Immutable;

namespace Isolation.Launch;

/// <summary>All that a plan is a function of.</summary>
internal sealed record PlanInputs(ContainerSpec Spec, HostFacts Host)
{
    /// <summary>Targets of mounts that the root directory lacks, relative to it.</summary>
    internal ImmutableHashSet<string> MissingTargets { get; init; } = [];

    /// <summary>Sources of bind mounts that are not directories.</summary>
    internal ImmutableHashSet<string> FileSources { get; init; } = [];

    /// <summary>Mounts beneath the sources of read-only binds, for kernels without mount_setattr.</summary>
    internal ImmutableArray<HostMount> Submounts { get; init; } = [];

    internal Identity Identity { get; init; } = Identity.Root;

    internal bool NewUser => Spec.Namespaces.IsNew(NamespaceKind.User);

    /// <summary>Whether device files can be made: never in a user namespace.</summary>
    internal bool CanMakeDevices => Spec.Namespaces.IsHost(NamespaceKind.User) && Host.Has(Capability.MakeNode);
}
