using System.Collections.Immutable;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>Gathers what a plan depends on: facts of the host, and what the root directory has and lacks.</summary>
internal static class LaunchInputs
{
    internal static PlanInputs Gather(ContainerSpec spec)
    {
        HostFacts host = HostFactsReader.Current;
        if (spec.Root is HostRoot && spec.Namespaces.IsNew(NamespaceKind.Mount)) host = HostFiles.WithRoot(host);
        if (NeedsResolver(spec)) host = host with { ResolvConf = HostFiles.ResolvConf(spec.Namespaces.IsHost(NamespaceKind.Network)) };
        if (spec.SubordinateIds)
        {
            (ImmutableArray<IdMapping> users, ImmutableArray<IdMapping> groups) = SubordinateIds.Map(host);
            host = host with { SubordinateUsers = users, SubordinateGroups = groups };
        }

        using FileDescriptor? root = OpenRoot(spec);
        PlanInputs inputs = new(spec, host)
        {
            FileSources = FileSources(spec),
            Mounts = host.HasMountSetAttr ? [] : MountInfo.Visible(File.ReadAllText("/proc/self/mountinfo"), Directory.Exists),
            Identity = IdentityResolver.Resolve(spec, host, root),
        };
        CheckIdentity(inputs);
        return root is null || spec.Root is not DirectoryRoot directory ? inputs : inputs with
        {
            MissingTargets = spec.Standard.Missing(spec, directory.Path, () => Missing(StandardTargets(spec), spec, root)).Union(Missing(spec.Mounts.Select(mount => mount.Target[1..]), spec, root)),
            RootIsLink = new FileInfo(directory.Path).LinkTarget is not null,
        };
    }

    private static bool NeedsResolver(ContainerSpec spec) => spec.DnsServers.IsEmpty && EtcSteps.Targets(spec).Contains("etc/resolv.conf");

    /// <summary>The directory that is the container's root, for looking things up in it before it starts.</summary>
    private static FileDescriptor? OpenRoot(ContainerSpec spec)
    {
        if (spec.EntersContainer is { } container) return spec.User is null ? null : ContainerRoot.Open(container);
        if (!spec.Namespaces.IsNew(NamespaceKind.Mount)) return null;
        string path = spec.Root is DirectoryRoot root ? root.Path : "/";
        try
        {
            return FileDescriptor.Open(path, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY);
        }
        catch (LinuxException exception)
        {
            throw new ContainerException(ContainerErrorReason.LaunchFailed, $"Cannot open the root directory '{path}'", exception, null);
        }
    }

    private static ImmutableHashSet<string> FileSources(ContainerSpec spec)
    {
        ImmutableHashSet<string>.Builder files = ImmutableHashSet.CreateBuilder<string>(StringComparer.Ordinal);
        foreach (BindMount bind in spec.Mounts.OfType<BindMount>())
        {
            if (Directory.Exists(bind.Source)) continue;
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
        return targets.Concat(EtcSteps.Targets(spec));
    }

    private static ImmutableHashSet<string> Missing(IEnumerable<string> targets, ContainerSpec spec, FileDescriptor root)
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

    private static bool Exists(FileDescriptor root, string target)
    {
        try
        {
            return ContainedPath.Exists(root, target);
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
        IdentityMaps maps = IdentityMaps.For(inputs.Spec, inputs.Host);
        Identity identity = inputs.Identity;
        if (!IdentityMaps.Has(maps.Users, identity.UserId)) throw NotMapped("user", identity.UserId, maps.Users);
        if (!IdentityMaps.Has(maps.Groups, identity.GroupId)) throw NotMapped("group", identity.GroupId, maps.Groups);
    }

    private static ContainerException NotMapped(string what, uint id, ImmutableArray<IdMapping> map) =>
        new(ContainerErrorReason.IdNotMapped, $"The {what} id {id} is not in the container's identity map ({IdentityMaps.Text(map).TrimEnd().Replace("\n", ", ", StringComparison.Ordinal)})",
            null, "an unprivileged caller has one id unless it asks for its subordinate ids with WithSubordinateIds");
}
