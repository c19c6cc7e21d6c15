using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Isolation.Launch;
using Isolation.UnionFs;

namespace Isolation.Tests;

/// <summary>Specs that a builder would let through, and what a plan is made from besides.</summary>
internal static class GenInputs
{
    private static readonly Gen<NamespaceSource> Source = Gen.Frequency<NamespaceSource>(
        (6, Gen.Const(NamespaceSource.New)), (2, Gen.Const(NamespaceSource.Host)), (2, Gen.Const(NamespaceSource.FromPath("/run/ns/one"))));

    // New mount namespaces more often: most of a plan is about them.
    private static readonly Gen<NamespaceSource> MountSource = Gen.Frequency<NamespaceSource>((5, Gen.Const(NamespaceSource.New)), (1, Source));

    private static readonly Gen<NamespaceSet> Namespaces =
        from user in Source
        from pid in Source
        from network in Source
        from ipc in Source
        from mount in MountSource
        from uts in Source
        from cgroup in Source
        from time in Source
        select new NamespaceSet { User = user, Pid = pid, Network = network, Ipc = ipc, Mount = mount, Uts = uts, Cgroup = cgroup, Time = time };

    private static readonly Gen<RootFilesystem> Root = Gen.OneOf<RootFilesystem>(
        Gen.Const<RootFilesystem>(new HostRoot()),
        from path in Gen.OneOf("/srv/root", "/proc/root", "/srv/a:b,c", "/srv/" + new string('x', 300), "/")
        from access in Gen.Enum<RootAccess>()
        select (RootFilesystem)new DirectoryRoot(path, access),
        from count in Gen.OneOf(1, 2, 20, 128)
        from readOnly in Gen.Bool
        from name in Gen.OneOf("layer", "a:b,", new string('x', 300))
        select (RootFilesystem)new LayersRoot([.. Enumerable.Range(0, count).Select(i => $"/srv/{name}{i}")], readOnly ? RootAccess.ReadOnly : RootAccess.Layered));

    private static readonly RootWay?[] Ways =
    [
        null,
        new(UnionDriver.Overlay, RootPlace.Plan, "overlayfs"),
        new(UnionDriver.Overlay, RootPlace.Detached, "by the host"),
        new(UnionDriver.Copy, RootPlace.Directory, "a copy") { Path = "/srv/union" },
        new(UnionDriver.FuseOverlay, RootPlace.Directory, "a program") { Path = "/srv/union", LockedAttributes = Linux.Abi.MOUNT_ATTR_NOSUID | Linux.Abi.MOUNT_ATTR_NODEV },
    ];

    private static readonly string[] Targets = ["/data", "/data/in/deep", "/etc", "/etc/hosts", "/dev/shm", "/dev", "/proc", "/sys", "/tmp", "/run/x", "/etc/passwd"];

    private static readonly Gen<MountSpec> Mount =
        from bind in Gen.Bool
        from target in Gen.OneOf(Targets)
        from source in Gen.OneOf("/host/directory", "/host/file", "/")
        from readOnly in Gen.Bool
        from recursive in Gen.Bool
        from flag in Gen.Bool
        from propagation in Gen.Enum<MountPropagation>()
        from volume in Gen.Bool
        select bind && volume ? new VolumeMount(flag ? null : "/host/volume", 0, target)
            : bind
            ? new BindMount(source, target) { Options = new() { ReadOnly = readOnly, Recursive = recursive, AllowDevices = flag, AllowExecution = !flag, Propagation = propagation } }
            : (MountSpec)new TmpfsMount(target) { Options = new() { ReadOnly = readOnly, AllowExecution = flag, Inodes = flag ? 10 : null } };

    private static readonly Gen<(ImmutableArray<IdMapping>, bool)> Map = Gen.OneOf(
        Gen.Const<(ImmutableArray<IdMapping>, bool)>(([], false)),
        Gen.Const<(ImmutableArray<IdMapping>, bool)>(([], true)),
        Gen.Const<(ImmutableArray<IdMapping>, bool)>(([new(0, 1000, 1)], false)),
        Gen.Const<(ImmutableArray<IdMapping>, bool)>(([new(0, 1000, 1), new(1, 100000, 65536)], false)),
        Gen.Const<(ImmutableArray<IdMapping>, bool)>(([new(5, 1000, 1)], false)));

    private static readonly Gen<ContainerSpec> Program =
        from command in Gen.OneOf<string[]>(["sh", "-c", "id"], ["/bin/true"], ["./here", ""])
        from path in Gen.OneOf("/bin", "/usr/bin:/bin", "", "a::/b/", "1:2:3:4:5:6:7:8:9")
        from hasPath in Gen.Bool
        from directory in Gen.OneOf("/", "/place", "/place/../deep/", "/proc/self/fd/7")
        from umask in Gen.Int[0, 0x1FF]
        from capabilities in Gen.OneOf(Gen.Const(CapabilitySet.Default), Gen.Const(CapabilitySet.None), Gen.Const(CapabilitySet.All), Gen.ULong.Select(bits => new CapabilitySet(bits)))
        from ambient in Gen.OneOf(Gen.Const(CapabilitySet.None), Gen.Const(CapabilitySet.Of(Capability.NetBindService, Capability.Chown)))
        from noNewPrivileges in Gen.Bool
        from filtered in Gen.Bool
        from asked in Gen.Int[0, 3]
        from landlock in Gen.OneOf<LandlockPolicy?>(null, LandlockPolicy.Of(["/usr", "/etc/hosts"], ["/tmp"]) with { BestEffort = true }, new LandlockPolicy { Refused = 0, BindPorts = [80], ConnectPorts = [], Scopes = LandlockScopes.All })
        from terminal in Gen.Bool
        from session in Gen.Enum<ProgramSession>()
        from outlives in Gen.Bool
        from descriptors in GenHost.Subset([3, 4, 9, 200])
        from limits in GenHost.Subset([ResourceLimitKind.OpenFiles, ResourceLimitKind.CpuTime])
        from processors in GenHost.Subset([0, 1, 70])
        select new ContainerSpec
        {
            Terminal = terminal ? new(80, 25) : null, Session = terminal ? ProgramSession.New : session, OutlivesHost = outlives, Processors = [.. processors],
            Descriptors = descriptors.ToImmutableSortedDictionary(number => number, _ => new Microsoft.Win32.SafeHandles.SafeFileHandle()),
            ResourceLimits = limits.ToImmutableSortedDictionary(kind => kind, _ => new ResourceLimit(10, 20)),
            Command = [.. command], WorkingDirectory = directory, Umask = umask, Capabilities = capabilities, Landlock = landlock,
            NoNewPrivileges = noNewPrivileges, Unfiltered = !filtered, AppArmor = asked == 1 ? new("box", filtered, noNewPrivileges) : null, Interception = asked == 0 ? new(["mkdir", "sendmsg"], (_, _) => ValueTask.FromResult(SystemCallAnswer.Continue), TimeSpan.FromSeconds(1)) : null, AmbientCapabilities = new(capabilities.Bits & ambient.Bits),
            Environment = hasPath ? ContainerSpec.DefaultEnvironment.SetItem("PATH", path) : ImmutableSortedDictionary<string, string>.Empty,
        };

    private static readonly Gen<ContainerSpec> Spec =
        from program in Program
        from namespaces in Namespaces
        from root in Root
        from mounts in Mount.Array[0, 4]
        from map in Map
        from name in Gen.OneOf<string?>(null, "box")
        from hidden in GenHost.Subset(["/secret", "/etc/shadow", "/proc/kcore"])
        from frozen in GenHost.Subset(["/frozen", "/sys/kernel"])
        from sizes in Gen.Int[0, 3]
        from proc in Gen.Enum<ProcMount>()
        from nesting in Gen.Bool
        from offset in Gen.OneOf(TimeSpan.Zero, TimeSpan.FromDays(3), TimeSpan.FromMilliseconds(-1500))
        from servers in Gen.Bool
        from init in Gen.Bool
        select Consistent(program with
        {
            Namespaces = namespaces, Root = root, Mounts = [.. mounts.DistinctBy(mount => mount.Target)], UserMappings = map.Item1, GroupMappings = map.Item1, SubordinateIds = map.Item2,
            HostName = name, DomainName = name, MaskedPaths = hidden, ReadOnlyPaths = frozen, TmpSize = sizes & 1, RunSize = sizes >> 1, Proc = proc, Nesting = nesting,
            Init = init, BootTimeOffset = offset, MonotonicTimeOffset = offset, DnsServers = servers ? ["192.0.2.7"] : [], ExtraHosts = servers ? [("db", "192.0.2.8")] : [],
        });

    /// <summary>Containers of an OCI runtime, by its own reader, and with what its commands add.</summary>
    private static readonly Gen<ContainerSpec> Oci =
        from rootless in Gen.Bool
        from without in GenHost.Subset(["network", "pid", "uts", "ipc", "cgroup"])
        from propagation in Gen.OneOf("", "private", "shared", "rslave", "unbindable")
        from path in Gen.OneOf("/srv/root", "/srv/a:b,c", "/")
        from bits in Gen.Int[0, 255]
        from user in Gen.OneOf(0u, 7u)
        from extra in GenHost.Subset(["bind", "rec", "copyup", "ro"])
        select Asked(Configured(rootless, [.. without], propagation, path, user, [.. extra]), bits);

    internal static readonly Gen<PlanInputs> Any =
        from spec in Gen.Frequency((5, Spec), (1, Oci))
        from host in GenHost.Any
        from identity in Gen.OneOf(Identity.Root, new Identity(1000, 1000, [10, 20], "/home/user"), new Identity(0, 5, [], "/"), new Identity(7, 0, [0], "/"))
        from missing in GenHost.Subset(["dev", "proc", "sys", "tmp", "run", "etc/hosts", "etc/hostname", "etc/resolv.conf", "data/in/deep", "etc/passwd"])
        from link in Gen.Bool
        from way in Gen.Int[0, Ways.Length - 1].Select(i => Ways[i])
        from labels in Gen.OneOf<SelinuxLabels?>(null, new SelinuxLabels("a:b:c:s0:c1,c2", "a:b:d:s0:c1,c2"), new SelinuxLabels("a:b:c", null))
        from mapped in Gen.Bool
        select new PlanInputs(!spec.NoNewPrivileges && spec.Namespaces.IsHost(NamespaceKind.User) && !host.Has(Capability.SysAdmin) ? spec with { Landlock = null, Interception = null } : spec, host) // asked for, they would be refused
        {
            Identity = identity,
            RootIsLink = link,
            Labels = labels,
            MappedBinds = mapped && host.HasMountSetAttr ? [.. spec.Root is DirectoryRoot root ? [new BindMount(root.Path, MappedBinds.Root)] : (ReadOnlySpan<BindMount>)[], .. spec.Mounts.OfType<BindMount>()] : [],
            Way = spec.Root is LayersRoot ? way : null,
            Directory = "/var/tmp/isolation-root-0123456789ab",
            MissingTargets = spec.Root is DirectoryRoot or LayersRoot ? [.. missing] : [],
            FileSources = ["/host/file"],
            Mounts = host.HasMountSetAttr ? [] : host.Mounts,
        };

    private static ContainerSpec Configured(bool rootless, string[] without, string propagation, string path, uint user, string[] extra)
    {
        JsonObject config = JsonNode.Parse(OciFeatures.ExampleConfig(rootless))!.AsObject();
        config["root"]!["path"] = path;
        config["process"]!["user"]!["uid"] = user;
        config["linux"]!["rootfsPropagation"] = propagation;
        JsonArray namespaces = config["linux"]!["namespaces"]!.AsArray(), mounts = config["mounts"]!.AsArray();
        foreach (JsonNode? one in namespaces.Where(one => without.Contains((string?)one!["type"])).ToArray()) namespaces.Remove(one);


        // What of them is to be read-only, and how binds propagate, the rules do not read yet.
        config["root"]!["readonly"] = false;
        foreach (JsonNode? one in mounts.Where(one => (string?)one!["type"] == "cgroup").ToArray()) mounts.Remove(one);
        if (extra.Length > 0)
            mounts.Add(new JsonObject { ["destination"] = "/data/in", ["type"] = extra.Contains("bind") ? "bind" : "tmpfs", ["source"] = "/host/directory", ["options"] = new JsonArray([.. extra.Select(Option)]) });
        return OciConfig.Read(Encoding.UTF8.GetBytes(config.ToJsonString()), "/bundle").Spec;

        JsonNode Option(string word) => word switch { "bind" => "rbind", "rec" => extra.Contains("bind") ? "rnosuid" : "nosuid", "copyup" => extra.Contains("bind") ? "rprivate" : "nodev", _ => "noexec" };
    }

    private static ContainerSpec Asked(ContainerSpec spec, int bits) => spec with
    {
        HasGate = (bits & 1) != 0, OnStage = (bits & 2) != 0 ? (_, _) => Task.CompletedTask : null, LeavesExit = (bits & 4) != 0, KeepsKeyring = (bits & 8) != 0, OutlivesHost = (bits & 16) != 0,
        Terminal = (bits & 64) != 0 ? spec.Terminal : null, Personality = (bits & 128) != 0 ? 0x40000ul : null,
    };

    /// <summary>Takes out what a builder would refuse, so that all that is left is a spec of some program.</summary>
    private static ContainerSpec Consistent(ContainerSpec spec)
    {
        if (spec is { Nesting: true, Root: LayersRoot { Access: RootAccess.Layered } }) spec = spec with { LayerDirectory = "/srv/kept" };
        NamespaceSet namespaces = spec.Namespaces;
        if (!namespaces.IsNew(NamespaceKind.Mount)) spec = spec with { Root = null, Mounts = [], MaskedPaths = [], ReadOnlyPaths = [] };
        if (!namespaces.IsNew(NamespaceKind.Uts)) spec = spec with { HostName = null, DomainName = null };
        if (!namespaces.IsNew(NamespaceKind.User)) spec = spec with { UserMappings = [], GroupMappings = [], SubordinateIds = false };
        if (!namespaces.IsNew(NamespaceKind.Time)) spec = spec with { BootTimeOffset = TimeSpan.Zero, MonotonicTimeOffset = TimeSpan.Zero };
        if (!namespaces.IsNew(NamespaceKind.Pid)) spec = spec with { Init = false };
        if (namespaces.IsHost(NamespaceKind.Pid) && spec.Proc == ProcMount.Private) spec = spec with { Proc = ProcMount.Automatic };
        return spec;
    }
}
