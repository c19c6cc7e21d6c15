using System.Collections.Immutable;
using Isolation.Launch;
using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation;

/// <summary>Gathers what a plan depends on: facts of the host, and what the root directory has and lacks.</summary>
internal static class LaunchInputs
{
    /// <param name="spec">Of what.</param>
    /// <param name="id">The container's.</param>
    /// <param name="claims">What it has to itself; null where it is only told what would be done.</param>
    internal static PlanInputs Gather(ContainerSpec spec, string id = "ID", LaunchClaims? claims = null)
    {
        HostFacts host = HostFactsReader.Current;
        if (spec.Root is HostRoot && spec.Namespaces.IsNew(NamespaceKind.Mount)) host = HostFiles.WithRoot(host);
        if (NeedsResolver(spec)) host = host with { ResolvConf = HostFiles.ResolvConf(spec.Namespaces.IsHost(NamespaceKind.Network)) };
        if (spec.SubordinateIds)
        {
            (ImmutableArray<IdMapping> users, ImmutableArray<IdMapping> groups) = SubordinateIds.Map(host);
            host = host with { SubordinateUsers = users, SubordinateGroups = groups };
        }

        using RootView? root = OpenRoot(spec);
        PlanInputs inputs = new(spec, host)
        {
            FileSources = FileSources(spec),
            Mounts = host.HasMountSetAttr ? [] : MountInfo.Visible(File.ReadAllText("/proc/self/mountinfo"), Directory.Exists),
            Identity = IdentityResolver.Resolve(spec, host, root),
            Range = claims?.Range,
            Labels = claims?.Labels,
        };
        inputs = WithOwn(inputs, id);
        inputs = inputs with { MappedBinds = MappedBinds.Of(inputs) };
        inputs = inputs with { LayerTops = LayerTop.Read(inputs) };
        CheckIdentity(inputs);
        CheckPrivileges(inputs);
        if (root is null || spec.Root is not (DirectoryRoot or LayersRoot)) return inputs;
        string? directory = (spec.Root as DirectoryRoot)?.Path;
        return inputs with
        {
            MissingTargets = spec.Layout is not null ? [] : spec.Standard.Missing(spec, directory ?? spec.LayerDirectory, () => Missing(StandardTargets(spec), spec, root)).Union(Missing(spec.Mounts.Select(mount => mount.Target[1..]), spec, root)),
            RootIsLink = directory is not null && new FileInfo(directory).LinkTarget is not null,
        };
    }

    /// <summary>What is only this container's.</summary>
    private static PlanInputs WithOwn(PlanInputs inputs, string id)
    {
        ContainerSpec spec = inputs.Spec;
        RootWay? way = RootWays.Choose(spec);
        bool isKept = spec.LayerDirectory is not null;
        string? directory = (way is { Place: not RootPlace.Plan, Driver: not UnionDriver.Overlay } && !isKept) || spec.Mounts.Any(mount => mount is VolumeMount { HostPath: null }) ? LaunchDirectory.PathOf(id) : null;
        if (way is { Place: RootPlace.Directory })
            way = way with { Path = HostedRoot.PathIn(spec.LayerDirectory ?? LaunchDirectory.UnionOf(directory!)) };
        return inputs with { Way = way, Directory = directory };
    }

    private static bool NeedsResolver(ContainerSpec spec) => spec.Layout is null && spec.DnsServers.IsEmpty && EtcSteps.Targets(spec).Contains("etc/resolv.conf");

    /// <summary>The container's root, for looking things up in it before it starts.</summary>
    private static RootView? OpenRoot(ContainerSpec spec)
    {
        if (spec.EntersContainer is { } container) return spec.User is null ? null : new DirectoryView(ContainerRoot.Open(container));
        if (!spec.Namespaces.IsNew(NamespaceKind.Mount)) return null;
        if (spec.Root is LayersRoot { Layers: var layers })
        {
            string? kept = spec.LayerDirectory is { } directory ? Path.Join(directory, WritableDirectory.Upper) : null;
            return new LayersView(Directory.Exists(kept) ? layers.Add(kept) : layers);
        }

        string path = spec.Root is DirectoryRoot root ? root.Path : "/";
        try
        {
            return new DirectoryView(FileDescriptor.Open(path, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY));
        }
        catch (LinuxException exception)
        {
            throw new ContainerException(ContainerErrorReason.LaunchFailed, $"Cannot open the root directory '{path}'", exception, null);
        }
    }

    private static ImmutableHashSet<string> FileSources(ContainerSpec spec)
    {
        ImmutableHashSet<string>.Builder files = ImmutableHashSet.CreateBuilder<string>(StringComparer.Ordinal);
        foreach (OciMount bind in spec.Mounts.OfType<OciMount>().Where(mount => mount.IsBind))
        {
            if (Directory.Exists(bind.Source)) continue;
            if (!Path.Exists(bind.Source)) throw new FileNotFoundException($"The source '{bind.Source}' of the mount at '{bind.Target}' does not exist.", bind.Source);
            files.Add(bind.Source);
        }

        foreach (BindMount bind in spec.Mounts.OfType<BindMount>())
        {
            if (bind is VolumeMount || Directory.Exists(bind.Source)) continue;
            if (!Path.Exists(bind.Source))
                throw new FileNotFoundException($"The source '{bind.Source}' of the mount at '{bind.Target}' does not exist.", bind.Source);
            files.Add(bind.Source);
        }

        return files.ToImmutable();
    }

    /// <summary>Where every container has a mount or file, unless this one was told otherwise.</summary>
    private static IEnumerable<string> StandardTargets(ContainerSpec spec)
    {
        IEnumerable<string> targets = ["sys", "dev"];
        if (spec.Proc != ProcMount.None) targets = targets.Append("proc");
        if (spec.TmpSize > 0) targets = targets.Append("tmp");
        if (spec.RunSize > 0) targets = targets.Append("run");

        // Made where an image names one that it has not, as every runtime does (config.md, WorkingDir).
        if (spec.Root is LayersRoot && spec.WorkingDirectory.Trim('/') is { Length: > 0 } directory && !directory.Split('/').Contains("..")) targets = targets.Append(directory);
        return targets.Concat(EtcSteps.Targets(spec));
    }

    private static ImmutableHashSet<string> Missing(IEnumerable<string> targets, ContainerSpec spec, RootView root)
    {
        ImmutableHashSet<string>.Builder missing = ImmutableHashSet.CreateBuilder<string>(StringComparer.Ordinal);
        foreach (string target in targets)
        {
            // What another mount covers is not looked up in the root.
            bool covered = spec.Mounts.Any(other => target.StartsWith(other.Target[1..] + "/", StringComparison.Ordinal));
            if (!covered && !IsInOwn(target) && !Exists(root, target)) missing.Add(target);
        }

        return missing.ToImmutable();
    }

    private static bool Exists(RootView root, string target)
    {
        try
        {
            return root.Exists(target);
        }
        catch (LinuxException exception)
        {
            // A loop of links, or a file in the way: the root is hostile or broken, and no mount will get there either.
            throw new ContainerException(ContainerErrorReason.MountFailed, $"Cannot look up '/{target}' in the root directory", exception, null);
        }
    }

    private static bool IsInOwn(string target) =>
        target.StartsWith("dev/", StringComparison.Ordinal) || target.StartsWith("tmp/", StringComparison.Ordinal) || target.StartsWith("run/", StringComparison.Ordinal);

    private static void CheckIdentity(PlanInputs inputs)
    {
        if (!inputs.NewUser) return;
        IdentityMaps maps = inputs.Maps;
        Identity identity = inputs.Identity;
        if (!IdentityMaps.Has(maps.Users, identity.UserId)) throw NotMapped("user", identity.UserId, maps.Users);
        if (!IdentityMaps.Has(maps.Groups, identity.GroupId)) throw NotMapped("group", identity.GroupId, maps.Groups);
    }

    private static void CheckPrivileges(PlanInputs inputs)
    {
        ContainerSpec spec = inputs.Spec;
        if (!spec.NoNewPrivileges && !inputs.HasAdmin && (spec.Landlock is not null || inputs.Filter is not null))
            throw new ContainerException(ContainerErrorReason.SecurityUnavailable, "A seccomp filter or Landlock takes no_new_privs or CAP_SYS_ADMIN (seccomp(2), landlock(7)), and the caller has no such capability in the host's user namespace",
                null, "leave AllowNewPrivileges out, or WithUserNs(NamespaceSource.Host)");
        if (spec.AppArmor is { Preferred: false } && inputs.Host.AppArmorFile is null)
            throw new ContainerException(ContainerErrorReason.SecurityUnavailable, $"The AppArmor profile '{spec.AppArmor.Profile}' is asked for, and this kernel has no AppArmor, or is not booted with it", null, "use a kernel with apparmor in lsm= of its command line, or say preferred: true");
        if (spec.Capabilities != CapabilitySet.All && (spec.Capabilities.Bits & ~inputs.Host.KnownCapabilities.Bits) is var unknown && unknown != 0)
            throw new ContainerException(ContainerErrorReason.SecurityUnavailable, FormattableString.Invariant($"This kernel has no capability {(Capability)ulong.Log2(unknown)}: it knows those up to {(Capability)inputs.Host.LastCapability}"),
                null, "leave it out with DropCapability");
    }

    private static ContainerException NotMapped(string what, uint id, ImmutableArray<IdMapping> map) =>
        new(ContainerErrorReason.IdNotMapped, $"The {what} id {id} is not in the container's identity map ({IdentityMaps.Text(map).TrimEnd().Replace("\n", ", ", StringComparison.Ordinal)})",
            null, "an unprivileged caller has one id unless it asks for its subordinate ids with WithSubordinateIds");
}
