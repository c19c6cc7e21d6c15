using Isolation.Launch;

namespace Isolation;

/// <summary>What was really applied: the plan that ran, and the fallbacks that the child reported.</summary>
internal static class EnforcementReport
{
    internal const string RootFeature = "union of layers";

    internal static IReadOnlyList<EnforcementEntry> Of(CompiledLaunch launch, List<int>? notes, HostedRoot? root, ContainerGroup? group)
    {
        ContainerSpec spec = launch.Inputs.Spec;
        List<EnforcementEntry> entries = [];
        for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++)
            entries.Add(Namespace(launch.Inputs, kind));
        entries.Add(spec.NoNewPrivileges
            ? new("no_new_privs", EnforcementState.Enforced, "programs gain no privileges by executing others")
            : new("no_new_privs", EnforcementState.Shared, "off, as asked"));
        if (launch.Inputs.Filter is { } policy) entries.Add(new("seccomp", EnforcementState.Enforced, $"{policy.Rules.Length} rules; what none is about: {policy.DefaultAction}"));
        else entries.Add(spec.Unfiltered ? new("seccomp", EnforcementState.Shared, "off, as asked") : new("seccomp", EnforcementState.Fallback, "off: the default takes no_new_privs or CAP_SYS_ADMIN, and new privileges are allowed"));
        if (spec.Landlock is { } landlock) entries.Add(Landlock(landlock, launch.Inputs.Host.LandlockVersion));
        entries.Add(launch.Inputs.CanDropBounding
            ? new("capabilities", EnforcementState.Enforced, FormattableString.Invariant($"bounding set 0x{spec.Capabilities.Bits & (ulong.MaxValue >> (63 - launch.Inputs.Host.LastCapability)):x}"))
            : new("capabilities", EnforcementState.Fallback, "the caller's bounding set, because dropping from it takes CAP_SETPCAP"));
        if (KeepsGroups(launch.Inputs))
            entries.Add(new("supplementary groups", EnforcementState.Fallback, "the caller's, because the kernel denies setgroups to a caller without CAP_SETGID; WithSubordinateIds drops them"));
        if (spec.Root is HostRoot && spec.Namespaces.IsNew(NamespaceKind.Mount))
        {
            foreach (string path in HostRootLayout.WithoutLayer(launch.Inputs))
                entries.Add(new(path, EnforcementState.Fallback, "read-only itself, because mounts beneath it are locked to it in a new user namespace; directories in it that hold none have their private layers"));
        }

        if ((root?.Way ?? launch.Inputs.Way) is { } way) entries.Add(new(RootFeature, way.IsFallback ? EnforcementState.Fallback : EnforcementState.Enforced, $"{way.Driver}: {way.Reason}"));
        foreach (EnforcementNote note in root?.Notes ?? []) entries.Add(new(note.Feature, EnforcementState.Fallback, note.Detail));
        if (group is null && spec.EntersContainer is null && spec.PreferredLimits != Cgroups.ResourceLimits.None)
            entries.Add(new("limits", EnforcementState.Fallback, "none that was preferred is in force: this user may make no control group"));
        foreach (Cgroups.UnappliedLimit limit in group?.Group.Unapplied ?? []) entries.Add(new($"limit {limit.Limit}", EnforcementState.Fallback, "not in force: " + limit.Reason));
        foreach (int note in notes ?? [])
            entries.Add(new(launch.Notes[note].Feature, EnforcementState.Fallback, launch.Notes[note].Detail));
        return entries;
    }

    private static EnforcementEntry Landlock(LandlockPolicy policy, int version) => (policy.BestEffort ? LandlockAbi.LackingOf(policy, version) : "") is { Length: > 0 } lacking
        ? new("landlock", EnforcementState.Fallback, $"this kernel's has version {version}, and does not refuse {lacking}")
        : new("landlock", EnforcementState.Enforced, $"{policy.Paths.Length} paths; version {version}");

    private static bool KeepsGroups(PlanInputs inputs) => inputs.Spec.Namespaces.IsHost(NamespaceKind.User)
        ? !inputs.Host.Has(Capability.Setgid)
        : inputs.NewUser && !IdentityMaps.For(inputs.Spec, inputs.Host).AllowsSetGroups;

    private static EnforcementEntry Namespace(PlanInputs inputs, NamespaceKind kind)
    {
        string feature = kind.ToString().ToLowerInvariant() + " namespace";
        NamespaceSource source = inputs.Spec.Namespaces[kind];
        bool lacking = (kind == NamespaceKind.Time && !inputs.Host.HasTimeNamespaces) || (kind == NamespaceKind.Cgroup && !inputs.Host.HasCgroupNamespaces);
        if (inputs.Spec.Namespaces.IsHost(kind)) return new(feature, EnforcementState.Shared, "the host's, as asked");
        return lacking && inputs.Spec.Namespaces.IsNew(kind)
            ? new(feature, EnforcementState.Fallback, "the host's, because the kernel has no such namespaces")
            : new(feature, EnforcementState.Enforced, source.Description);
    }
}
