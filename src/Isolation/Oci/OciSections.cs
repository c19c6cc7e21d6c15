using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Isolation.Cgroups;
using Isolation.Linux;

namespace Isolation;

/// <summary>What of a configuration is of the container and not of its program.</summary>
internal static class OciSections
{
    private static readonly Dictionary<string, NamespaceKind> Kinds = new(StringComparer.Ordinal)
    {
        ["user"] = NamespaceKind.User, ["pid"] = NamespaceKind.Pid, ["network"] = NamespaceKind.Network, ["ipc"] = NamespaceKind.Ipc,
        ["mount"] = NamespaceKind.Mount, ["uts"] = NamespaceKind.Uts, ["cgroup"] = NamespaceKind.Cgroup, ["time"] = NamespaceKind.Time,
    };

    internal static string NameOf(NamespaceKind kind) => Kinds.First(pair => pair.Value == kind).Key;

    internal static ContainerSpec Root(ContainerSpec spec, OciNode root, string bundle)
    {
        OciNode node = root.Get("root"), path = node.Get("path");
        if (path.Text().Length == 0) throw path.Bad("it is empty");
        spec = spec with
        {
            Root = new DirectoryRoot(Path.GetFullPath(Path.Join(path.Text().StartsWith('/') ? "" : bundle, path.Text())), node.Find("readonly").Flag() ? RootAccess.ReadOnly : RootAccess.ReadWrite),
            HostName = root.Find("hostname") is { } host && host.Text().Length > 0 ? host.Checked(name => PathText.HostName(name.Text(), "hostname")) : null,
            DomainName = root.Find("domainname") is { } domain && domain.Text().Length > 0 ? domain.Checked(name => PathText.HostName(name.Text(), "domainname")) : null,
            Mounts = [.. root.Find("mounts").Items().Select(mount => Mount(mount, bundle))],
            TmpSize = 0, RunSize = 0, Proc = ProcMount.None,
        };
        return spec;
    }

    internal static ContainerSpec Linux(ContainerSpec spec, OciNode root, string bundle)
    {
        OciNode? linux = root.Find("linux");
        spec = spec with
        {
            Namespaces = Namespaces(linux.Find("namespaces")),
            UserMappings = Mappings(linux.Find("uidMappings")),
            GroupMappings = Mappings(linux.Find("gidMappings")),
            MaskedPaths = Paths(linux.Find("maskedPaths")),
            ReadOnlyPaths = Paths(linux.Find("readonlyPaths")),
            Sysctls = Sysctls(linux.Find("sysctl")),
            Selinux = linux.Find("mountLabel") is { } label && label.Text().Length > 0 ? new(null, label.Checked(node => SelinuxLabels.Checked(node.Text(), "label")), Preferred: true) : null,
            Personality = Personality(linux.Find("personality")),
            MemoryPolicy = OciScheduling.Memory(linux.Find("memoryPolicy")),
            BootTimeOffset = Offset(linux.Find("timeOffsets").Find("boottime")),
            MonotonicTimeOffset = Offset(linux.Find("timeOffsets").Find("monotonic")),
            Layout = Propagation(new() { Devices = [.. linux.Find("devices").Items().Select(Device)] }, linux.Find("rootfsPropagation")),
        };
        if (linux.Find("seccomp") is not { } seccomp) return spec with { Unfiltered = true };
        spec = spec with { Seccomp = seccomp.Checked(node => SeccompPolicy.FromJson(node.Element.GetRawText())) };
        if (seccomp.Find("listenerPath") is { } listener && listener.Text().Length > 0)
        {
            if (!listener.Text().StartsWith('/')) throw listener.Bad($"'{listener.Text()}' is to be an absolute path");
            if (spec.Seccomp.Notifies) return spec with { Agent = new(listener.Text(), seccomp.Find("listenerMetadata").Text() ?? "") };
        }

        if (seccomp.Find("listenerMetadata").Text() is { Length: > 0 } && seccomp.Find("listenerPath").Text() is not { Length: > 0 }) throw seccomp.Get("listenerMetadata").Bad("there is no listenerPath that it could be told to");
        if (spec.Seccomp.Notifies) throw seccomp.Bad("SCMP_ACT_NOTIFY leaves calls to whoever listens: say with listenerPath who that is");
        return spec;
    }

    internal static ResourceLimits Resources(OciNode node)
    {
        try
        {
            return ResourceLimits.FromOciOfRuntime(OciResourcesText.Read(node));
        }
        catch (FormatException exception)
        {
            throw new FormatException($"{node.Path}: {exception.Message}", exception);
        }
    }

    private static OciMount Mount(OciNode node, string bundle)
    {
        OciNode destination = node.Get("destination");
        string target = destination.Text(), type = node.Find("type").Text() ?? "", source = node.Find("source").Text() ?? "";
        if (target.Length == 0 || target.Contains('\0')) throw destination.Bad("it is no path");

        // Relative ones are from the root, as before 1.0 (config.md, "Mounts").
        if (!target.StartsWith('/')) target = "/" + target;
        OciMountOptions options = new();
        foreach (OciNode option in node.Find("options").Items()) option.Text();
        if (node.Find("options") is { } given) options = given.Checked(list => OciMountOptions.Parse(list.Texts()));
        if (type == "bind" && !options.IsBind) options = options.AsBind();
        ImmutableArray<IdMapping> users = Mappings(node.Find("uidMappings")), groups = Mappings(node.Find("gidMappings"));
        if (users.IsEmpty != groups.IsEmpty) throw node.Bad("uidMappings and gidMappings are given together, or neither");
        if (!options.IsBind && (options.Maps || !users.IsEmpty)) throw node.Bad("an identity map is of a bind alone");
        if (options.IsBind)
            return new("bind", Path.GetFullPath(Path.Join(source.StartsWith('/') ? "" : bundle, source)), target, options) { Maps = users.IsEmpty ? null : new(users, groups) { AllowsSetGroups = true, NeedsMapTools = false } };
        if (type.Length == 0) throw node.Bad("a mount that is no bind needs a type");
        return new(type, source, target, options);
    }

    private static NamespaceSet Namespaces(OciNode? node)
    {
        NamespaceSet set = new();
        HashSet<NamespaceKind> seen = [];
        foreach (OciNode item in node.Items())
        {
            OciNode type = item.Get("type");
            if (!Kinds.TryGetValue(type.Text(), out NamespaceKind kind)) throw type.Bad($"'{type.Text()}' is no namespace: {string.Join(", ", Kinds.Keys)}");
            if (!seen.Add(kind)) throw type.Bad($"'{type.Text()}' is there twice");
            string path = item.Find("path").Text() ?? "";
            if (path.Length > 0 && !path.StartsWith('/')) throw item.Get("path").Bad($"'{path}' is to be an absolute path");
            set = set.With(kind, path.Length > 0 ? NamespaceSource.FromPath(path) : NamespaceSource.New);
        }

        foreach (NamespaceKind kind in Kinds.Values)
            if (!seen.Contains(kind)) set = set.With(kind, NamespaceSource.Host);
        return set;
    }

    private static ImmutableArray<IdMapping> Mappings(OciNode? node) => [.. node.Items().Select(item => new IdMapping(item.Get("containerID").Id(), item.Get("hostID").Id(), item.Get("size").Id()))];

    private static ImmutableArray<string> Paths(OciNode? node) =>
        [.. node.Items().Select(item => item.Text() is ['/', ..] path ? path : throw item.Bad($"'{item.Text()}' is to be an absolute path"))];

    private static ImmutableSortedDictionary<string, string> Sysctls(OciNode? node)
    {
        ImmutableSortedDictionary<string, string> sysctls = ImmutableSortedDictionary<string, string>.Empty;
        foreach ((string name, OciNode value) in node.Members())
            sysctls = sysctls.SetItem(value.Checked(_ => SysctlName.Checked(name)), value.Checked(node => SysctlName.CheckedValue(name, node.Text())));
        return sysctls;
    }

    private static TimeSpan Offset(OciNode? node) => node is not { } offset ? TimeSpan.Zero
        : TimeSpan.FromSeconds(offset.Find("secs")?.Number(int.MinValue, int.MaxValue) ?? 0) + TimeSpan.FromMicroseconds((offset.Find("nanosecs")?.Number(0, 999_999_999) ?? 0) / 1000.0);

    private static ulong? Personality(OciNode? node)
    {
        if (node is not { } personality) return null;
        OciNode domain = personality.Get("domain");
        foreach (OciNode flag in personality.Find("flags").Items()) throw flag.Bad("there are no flags of an execution domain");
        return domain.Text() switch
        {
            "LINUX" => 0,
            "LINUX32" => 8,
            { } other => throw domain.Bad($"'{other}' is to be LINUX or LINUX32"),
        };
    }

    private static OciLayout Propagation(OciLayout layout, OciNode? node) => node.Text() switch
    {
        null or "" => layout,
        "private" => layout with { Propagation = Abi.MS_PRIVATE },
        "rprivate" => layout with { Propagation = Abi.MS_PRIVATE, PropagationIsRecursive = true },
        "slave" => layout with { Propagation = Abi.MS_SLAVE },
        "rslave" => layout with { Propagation = Abi.MS_SLAVE, PropagationIsRecursive = true },
        "shared" => layout with { Propagation = Abi.MS_SHARED },
        "rshared" => layout with { Propagation = Abi.MS_SHARED, PropagationIsRecursive = true },
        "unbindable" => layout with { Propagation = Abi.MS_UNBINDABLE },
        "runbindable" => layout with { Propagation = Abi.MS_UNBINDABLE, PropagationIsRecursive = true },
        { } other => throw node!.Value.Bad($"'{other}' is no propagation"),
    };

    private static OciDevice Device(OciNode node)
    {
        OciNode type = node.Get("type"), path = node.Get("path");
        if (path.Text() is not ['/', _, ..]) throw path.Bad($"'{path.Text()}' is to be an absolute path");
        int kind = type.Text() switch
        {
            "c" or "u" => Abi.S_IFCHR,
            "b" => Abi.S_IFBLK,
            "p" => Abi.S_IFIFO,
            { } other => throw type.Bad($"'{other}' is to be c, u, b or p"),
        };
        uint Part(string name) => kind == Abi.S_IFIFO ? 0 : (uint)node.Get(name).Number(0, uint.MaxValue);
        return new(path.Text(), kind, Part("major"), Part("minor"), (int)((node.Find("fileMode")?.Number(0, 0xFFFF) ?? 0x1B6) & 0xFFF), node.Find("uid")?.Id() ?? 0, node.Find("gid")?.Id() ?? 0);
    }
}
