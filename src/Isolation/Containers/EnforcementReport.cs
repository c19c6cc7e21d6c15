using Isolation.Launch;

namespace Isolation;

/// <summary>
/// What is in force: as the kernel says of the program while it runs. What the kernel does not say, and all of a program that has ended, is as the plan has
/// done it, each step of which has succeeded or is reported.
/// </summary>
internal static class EnforcementReport
{
    internal const string RootFeature = "union of layers";

    internal static IReadOnlyList<EnforcementEntry> Of(CompiledLaunch launch, List<int>? notes, HostedRoot? root, ContainerGroup? group, KernelReading? reading)
    {
        ContainerSpec spec = launch.Inputs.Spec;
        List<EnforcementEntry> entries = [];
        for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++)
            entries.Add(Namespace(launch.Inputs, kind, reading));
        entries.Add((reading?.NoNewPrivileges ?? spec.NoNewPrivileges)
            ? new("no_new_privs", EnforcementState.Enforced, "programs gain no privileges by executing others")
            : new("no_new_privs", EnforcementState.Shared, "off, as asked"));
        entries.Add(Filter(launch.Inputs, reading));
        if (spec.Landlock is { } landlock) entries.Add(Landlock(landlock, launch.Inputs.Host.LandlockVersion));
        entries.Add(Capabilities(launch.Inputs, reading));
        if (spec.Capabilities.Has((int)Capability.SysAdmin) && !spec.Privileged && IsRootOutside(launch.Inputs))
            entries.Add(new("masked and read-only paths", EnforcementState.Fallback, "a program with CAP_SYS_ADMIN can take them away, and root of this container is root of the host as the owner of files: it can write the host's kernel settings"));
        if (reading is not null && launch.Inputs.NewUser) entries.Add(new("identity map", EnforcementState.Enforced, string.Join("; ", reading.UserMap.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))))));
        if (spec.AppArmor is { Preferred: true } wanted && launch.Inputs.Host.AppArmorFile is null) entries.Add(new("apparmor", EnforcementState.Fallback, $"not confined by '{wanted.Profile}': this kernel has no AppArmor"));
        if (spec.Selinux is { Preferred: true } && !launch.Inputs.Host.HasSelinux) entries.Add(new("selinux", EnforcementState.Fallback, "no label: this kernel has no SELinux"));
        if (launch.Inputs.Labels?.Mounts is { } mounts) entries.Add(new("selinux mount label", EnforcementState.Enforced, mounts));
        if (reading?.Label is { } label) entries.Add(new("security label", label.StartsWith("unconfined", StringComparison.Ordinal) ? EnforcementState.Shared : EnforcementState.Enforced, label));
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

    private static bool IsRootOutside(PlanInputs inputs) => inputs.Spec.Namespaces.IsHost(NamespaceKind.User)
        ? inputs.Host.UserId == 0
        : inputs.NewUser && IdentityMaps.ToHost(inputs.Maps.Users, 0) == 0;

    private static bool KeepsGroups(PlanInputs inputs) => inputs.Spec.Namespaces.IsHost(NamespaceKind.User)
        ? !inputs.Host.Has(Capability.Setgid)
        : inputs.NewUser && !inputs.Maps.AllowsSetGroups;

    private static EnforcementEntry Filter(PlanInputs inputs, KernelReading? reading) => inputs.Filter switch
    {
        { } when reading is { IsFiltered: false } => new("seccomp", EnforcementState.Fallback, "the kernel says that no filter is in force"),
        { } policy => new("seccomp", EnforcementState.Enforced, $"{policy.Rules.Length} rules; what none is about: {policy.DefaultAction}"),
        null when inputs.Spec.Filter is null => new("seccomp", EnforcementState.Shared, "off, as asked"),
        null => new("seccomp", EnforcementState.Fallback, "off: the default takes no_new_privs or CAP_SYS_ADMIN, and new privileges are allowed"),
    };

    private static EnforcementEntry Capabilities(PlanInputs inputs, KernelReading? reading)
    {
        ulong granted = inputs.Spec.Capabilities.Bits & inputs.Host.KnownCapabilities.Bits;
        CapabilitySet bounding = reading?.Bounding ?? new(granted);
        bool more = reading is null ? !inputs.CanDropBounding : (bounding.Bits & ~granted) != 0;
        string detail = FormattableString.Invariant($"bounding set 0x{bounding.Bits:x}") + (reading is null ? "" : FormattableString.Invariant($", effective 0x{reading.Effective.Bits:x}, ambient 0x{reading.Ambient.Bits:x}"));
        return more
            ? new("capabilities", EnforcementState.Fallback, "the caller's bounding set, because dropping from it takes CAP_SETPCAP" + (reading is null ? "" : ": " + detail))
            : new("capabilities", EnforcementState.Enforced, detail);
    }

    private static EnforcementEntry Namespace(PlanInputs inputs, NamespaceKind kind, KernelReading? reading)
    {
        string feature = kind.ToString().ToLowerInvariant() + " namespace";
        NamespaceSource source = inputs.Spec.Namespaces[kind];
        if (inputs.Spec.Namespaces.IsHost(kind)) return new(feature, EnforcementState.Shared, "the host's, as asked");
        bool lacking = (kind == NamespaceKind.Time && !inputs.Host.HasTimeNamespaces) || (kind == NamespaceKind.Cgroup && !inputs.Host.HasCgroupNamespaces);
        if (reading?.Namespace(kind) is { } seen && inputs.Spec.Namespaces.IsNew(kind))
            return seen.IsOther ? new(feature, EnforcementState.Enforced, $"{source.Description}, {seen.Name}") : new(feature, EnforcementState.Fallback, $"the host's, {seen.Name}");
        return lacking && inputs.Spec.Namespaces.IsNew(kind)
            ? new(feature, EnforcementState.Fallback, "the host's, because the kernel has no such namespaces")
            : new(feature, EnforcementState.Enforced, source.Description);
    }
}
