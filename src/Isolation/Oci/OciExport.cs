using System.Text.Json.Nodes;
using Isolation.Cgroups;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>Writes what a container is to be as a configuration of the Open Container Initiative. What has no field there is told, and never left out in silence.</summary>
internal sealed class OciExport
{
    private const string RootName = "rootfs";

    // Which every runtime knows; fields of later ones are ignored by those that do not.
    private const string RuntimeVersion = "1.0.2";
    private readonly PlanInputs _inputs;
    private readonly List<string> _omitted = [];
    private OciRuntime? _runtime;

    private OciExport(PlanInputs inputs) => _inputs = inputs;

    private ContainerSpec Spec => _inputs.Spec;

    /// <param name="inputs">What of.</param>
    /// <param name="root">Where its root is, where that is decided elsewhere, and whether it is read-only.</param>
    /// <param name="hostName">Where it has none of its own.</param>
    /// <param name="mounts">Besides, last of all.</param>
    /// <param name="runtime">Who gets it: it may be older than the standard, and somebody else sees to limits. Null for whoever reads it.</param>
    internal static OciDocument Write(PlanInputs inputs, (string Path, bool ReadOnly)? root = null, string? hostName = null, IEnumerable<JsonObject>? mounts = null, OciRuntime? runtime = null)
    {
        OciExport export = new(inputs) { _runtime = runtime };
        JsonObject document = new()
        {
            ["ociVersion"] = runtime is null ? OciState.SpecificationVersion : RuntimeVersion,
            ["process"] = export.Process(),
            ["root"] = export.Root(root),
            ["hostname"] = export.Spec.Namespaces.IsNew(NamespaceKind.Uts) ? export.Spec.HostName ?? hostName : null,
            ["domainname"] = export.Spec.DomainName,
            ["mounts"] = new JsonArray([.. export.Mounts(), .. mounts ?? []]),
            ["linux"] = export.Linux(),
        };
        export.TellOthers();
        return new(Compact(document).ToJsonString(), [.. export._omitted]);
    }

    internal static JsonObject Mount(string destination, string type, string source, params IEnumerable<string> options) => new()
    {
        ["destination"] = destination, ["type"] = type, ["source"] = source, ["options"] = new JsonArray([.. options.Select(option => JsonValue.Create(option))]),
    };

    private JsonObject Root((string Path, bool ReadOnly)? given)
    {
        if (given is { } root) return new() { ["path"] = root.Path, ["readonly"] = root.ReadOnly };
        if (Spec.Root is not DirectoryRoot directory)
        {
            _omitted.Add($"the root file system: it is to be at '{RootName}' in the bundle");
            return new() { ["path"] = RootName, ["readonly"] = Spec.Root is { IsReadOnly: true } };
        }

        if (directory.Access == RootAccess.Layered) _omitted.Add($"the private layer over '{directory.Path}': what is written goes to the directory");
        return new() { ["path"] = directory.Path, ["readonly"] = directory.IsReadOnly };
    }

    private JsonObject Process()
    {
        Identity identity = _inputs.Identity;
        bool isRoot = identity.UserId == 0;
        CapabilitySet all = Known(Spec.Capabilities), ambient = Known(Spec.AmbientCapabilities);
        List<string> variables = [.. Spec.Environment.Select(pair => $"{pair.Key}={pair.Value}")];
        if (!Spec.Environment.ContainsKey("HOME")) variables.Add("HOME=" + identity.Home);
        return new()
        {
            ["terminal"] = Spec.Terminal is not null ? true : null,
            ["consoleSize"] = Spec.Terminal is { Columns: > 0 } size ? new JsonObject { ["height"] = size.Rows, ["width"] = size.Columns } : null,
            ["user"] = new JsonObject
            {
                ["uid"] = identity.UserId, ["gid"] = identity.GroupId, ["umask"] = Spec.Umask,
                ["additionalGids"] = identity.Groups.IsEmpty ? null : new JsonArray([.. identity.Groups.Select(group => JsonValue.Create(group))]),
            },
            ["args"] = Texts(Spec.Command),
            ["env"] = Texts(variables),
            ["cwd"] = Spec.WorkingDirectory,
            ["capabilities"] = new JsonObject
            {
                ["bounding"] = Names(all), ["effective"] = Names(isRoot ? all : ambient), ["permitted"] = Names(isRoot ? all : ambient), ["inheritable"] = Names(ambient), ["ambient"] = Names(ambient),
            },
            ["rlimits"] = Spec.ResourceLimits.IsEmpty ? null : new JsonArray([.. Spec.ResourceLimits.Select(limit => new JsonObject { ["type"] = OciProcess.NameOf(limit.Key), ["soft"] = limit.Value.Soft, ["hard"] = limit.Value.Hard })]),
            ["noNewPrivileges"] = Spec.NoNewPrivileges,
            ["oomScoreAdj"] = Spec.OomScoreAdjustment,
            ["apparmorProfile"] = Spec.AppArmor is { Stacked: false } profile ? profile.Profile : null,
            ["selinuxLabel"] = _inputs.Labels?.Process ?? Spec.Selinux?.Process,
            ["scheduler"] = Scheduler(),
            ["ioPriority"] = Spec.IoPriority is { Class: not IoPriorityClass.None } io ? new JsonObject { ["class"] = ClassName(io.Class), ["priority"] = io.Level } : null,
        };
    }

    private JsonObject? Scheduler()
    {
        if (Spec.Scheduling is not { } scheduling) return Spec.Nice is { } nice ? new() { ["policy"] = "SCHED_OTHER", ["nice"] = nice } : null;
        string policy = scheduling.Policy switch { SchedulingPolicy.Fifo => "SCHED_FIFO", SchedulingPolicy.RoundRobin => "SCHED_RR", SchedulingPolicy.Batch => "SCHED_BATCH", SchedulingPolicy.Idle => "SCHED_IDLE", _ => "SCHED_OTHER" };
        return new() { ["policy"] = policy, ["nice"] = Spec.Nice, ["priority"] = scheduling.Priority == 0 ? null : scheduling.Priority };
    }

    private static string ClassName(IoPriorityClass kind) => kind switch { IoPriorityClass.RealTime => "IOPRIO_CLASS_RT", IoPriorityClass.BestEffort => "IOPRIO_CLASS_BE", _ => "IOPRIO_CLASS_IDLE" };

    private IEnumerable<JsonObject> Mounts()
    {
        if (!Spec.Namespaces.IsNew(NamespaceKind.Mount)) yield break;
        bool Own(string path) => !FilesystemPlanner.IsOverridden(_inputs, path);
        bool hostsPids = Spec.Namespaces.IsHost(NamespaceKind.Pid), hostsNetwork = !Spec.Namespaces.IsNew(NamespaceKind.Network) && !Spec.Namespaces.IsHost(NamespaceKind.User);
        if (Own("proc") && Spec.Proc != ProcMount.None)
        {
            List<string> options = ["nosuid", "noexec", "nodev"];
            if (Spec.ProcOptions.Hidden != HiddenProcesses.None) options.Add($"hidepid={(int)Spec.ProcOptions.Hidden}");
            if (Spec.ProcOptions.ProcessesOnly) options.Add("subset=pid");
            yield return Spec.Proc == ProcMount.Host || (Spec.Proc == ProcMount.Automatic && hostsPids) ? Mount("/proc", "bind", "/proc", "rbind") : Mount("/proc", "proc", "proc", options);
        }

        if (Own("dev"))
        {
            yield return Mount("/dev", "tmpfs", "tmpfs", "nosuid", "noexec", "mode=755", "size=65536k");
            IEnumerable<string> terminals = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"];
            yield return Mount("/dev/pts", "devpts", "devpts", (_inputs.NewUser ? IdentityMaps.Has(_inputs.Maps.Groups, 5) : _inputs.Host.Has(Capability.Setgid)) ? terminals.Append("gid=5") : terminals);
            if (Own("dev/shm")) yield return Mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", $"size={Spec.SharedMemorySize}");
            if (Own("dev/mqueue") && Spec.Namespaces.IsNew(NamespaceKind.Ipc)) yield return Mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev");
        }

        string[] sys = Spec.Privileged ? ["nosuid", "noexec", "nodev"] : ["nosuid", "noexec", "nodev", "ro"];
        if (Own("sys")) yield return hostsNetwork ? Mount("/sys", "bind", "/sys", ["rbind", .. sys]) : Mount("/sys", "sysfs", "sysfs", sys);
        if (Own("tmp") && Spec.TmpSize > 0) yield return Mount("/tmp", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=1777", $"size={Spec.TmpSize}");
        if (Own("run") && Spec.RunSize > 0) yield return Mount("/run", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=755", $"size={Spec.RunSize}");
        foreach (MountSpec mount in Spec.Mounts)
        {
            if (mount is TmpfsMount tmpfs) yield return Tmpfs(tmpfs);
            else if (mount is VolumeMount { HostPath: null }) _omitted.Add($"the volume at '{mount.Target}': a runtime makes none");
            else if (mount is BindMount bind) yield return Bind(bind);
        }
    }

    private static JsonObject Tmpfs(TmpfsMount mount)
    {
        List<string> options = ["nosuid", "nodev", $"size={mount.Options.SizeBytes}", $"mode={Convert.ToString(mount.Options.Mode, 8)}"];
        if (mount.Options.Inodes is { } inodes) options.Add($"nr_inodes={inodes}");
        if (mount.Options.ReadOnly) options.Add("ro");
        if (!mount.Options.AllowExecution) options.Add("noexec");
        return Mount(mount.Target, "tmpfs", "tmpfs", options);
    }

    private JsonObject Bind(BindMount mount)
    {
        BindOptions options = mount.Options;
        List<string> words = [options.Recursive ? "rbind" : "bind", "nosuid", options.ReadOnly ? "ro" : "rw"];
        if (options is { ReadOnly: true, Recursive: true } && _runtime?.Kind != RuntimeKind.Gvisor) words.Add("rro");
        if (!options.AllowDevices) words.Add("nodev");
        if (!options.AllowExecution) words.Add("noexec");
        words.Add((options.Recursive ? "r" : "") + options.Propagation.ToString().ToLowerInvariant());
        if (options.MapIds) words.Add(options.Recursive ? "ridmap" : "idmap");
        if (options.NoSymbolicLinks) _omitted.Add($"that no link is on the way to '{mount.Source}'");
        if (options.Relabel != SelinuxRelabel.None) _omitted.Add($"the new label of '{mount.Source}'");
        return Mount(mount.Target, "bind", mount.Source, words);
    }

    private JsonObject Linux()
    {
        bool hides = Spec is { Nesting: false, Privileged: false };
        return new()
        {
            ["namespaces"] = Namespaces(),
            ["uidMappings"] = _inputs.NewUser ? Map(_inputs.Maps.Users) : null,
            ["gidMappings"] = _inputs.NewUser ? Map(_inputs.Maps.Groups) : null,
            ["timeOffsets"] = Spec.BootTimeOffset == TimeSpan.Zero && Spec.MonotonicTimeOffset == TimeSpan.Zero ? null : new JsonObject { ["boottime"] = Offset(Spec.BootTimeOffset), ["monotonic"] = Offset(Spec.MonotonicTimeOffset) },
            ["sysctl"] = Spec.Sysctls.IsEmpty ? null : new JsonObject(Spec.Sysctls.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
            ["maskedPaths"] = Texts([.. hides ? HidingSteps.DefaultMasked.Select(path => "/" + path) : [], .. Spec.MaskedPaths]),
            ["readonlyPaths"] = Texts([.. hides ? HidingSteps.DefaultReadOnly.Select(path => "/" + path) : [], .. Spec.ReadOnlyPaths]),
            ["mountLabel"] = _inputs.Labels?.Mounts ?? Spec.Selinux?.Mounts,
            ["resources"] = Resources(),
            ["seccomp"] = _inputs.Filter is { } filter ? SeccompExport.Write(filter, Spec.Capabilities) : null,
        };
    }

    private JsonNode? Resources()
    {
        ResourceLimits limits = Spec.Limits;
        if (_runtime is not null) limits = ResourceLimits.None;
        else if (limits.Devices.IsEmpty && !Spec.Privileged) limits = limits with { Devices = [DeviceRule.Deny("a *:* rwm")] };
        if (limits == ResourceLimits.None) return null;
        try
        {
            return JsonNode.Parse(limits.ToOciJson());
        }
        catch (CgroupException exception) when (exception.Reason == CgroupErrorReason.NotSupported)
        {
            throw new ContainerException(ContainerErrorReason.LimitRefused, $"A limit has no field in the standard: {exception.Message}", exception, "leave it out");
        }
    }

    private JsonArray Namespaces()
    {
        JsonArray array = [];
        for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++)
        {
            NamespaceSource source = Spec.Namespaces[kind];
            if (Spec.Namespaces.IsHost(kind)) continue;

            // Without offsets it shows nothing, and older runtimes have none.
            if (kind == NamespaceKind.Time && _runtime is not null && Spec.BootTimeOffset == TimeSpan.Zero && Spec.MonotonicTimeOffset == TimeSpan.Zero) continue;
            JsonObject one = new() { ["type"] = OciSections.NameOf(kind) };
            string? path = source.Path ?? (source.IsJoined ? $"/proc/{(source.Container?.ProcessId ?? source.ProcessId)}/ns/{NamespaceDescriptors.FileName(kind)}" : null);
            if (path is not null) one["path"] = path;
            array.Add((JsonNode)one);
        }

        return array;
    }

    /// <summary>What no field can say.</summary>
    private void TellOthers()
    {
        if (Spec.AppArmor is { Stacked: true } profile) _omitted.Add($"stacking of the AppArmor profile '{profile.Profile}'");
        if (Spec.Landlock is not null) _omitted.Add("the Landlock policy");
        if (Spec.Interception is not null) _omitted.Add("the handler of system calls");
        if (Spec.Init) _omitted.Add("the init: the program is process 1 itself");
        if (!Spec.Processors.IsDefaultOrEmpty) _omitted.Add("the processors of the program: limit them with WithCpuset");
        if (Spec.Session != ProgramSession.New) _omitted.Add($"the session {Spec.Session}");
        if (Spec.PreferredLimits != ResourceLimits.None) _omitted.Add("limits that are only preferred");
        if (!Spec.CgroupMounts.IsEmpty) _omitted.Add("hierarchies of the container's own");
        if (!Spec.Descriptors.IsEmpty) _omitted.Add("descriptors of the caller's");
        if (Spec.Nesting) _omitted.Add("nesting: the masks and the filter are wider, and no more");
    }

    private CapabilitySet Known(CapabilitySet set) => new(set.Bits & _inputs.Host.KnownCapabilities.Bits);

    private static JsonArray Names(CapabilitySet set) => Texts(Enum.GetValues<Capability>().Where(capability => set.Has((int)capability)).Select(OciCapability.NameOf));

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => JsonValue.Create(text))]);

    private static JsonArray Map(IEnumerable<IdMapping> map) => new([.. map.Select(range => new JsonObject { ["containerID"] = range.ContainerId, ["hostID"] = range.HostId, ["size"] = range.Count })]);

    // Whole seconds downwards, so that nanoseconds are never below zero.
    private static JsonObject Offset(TimeSpan offset)
    {
        long seconds = (long)Math.Floor(offset.TotalSeconds);
        return new() { ["secs"] = seconds, ["nanosecs"] = (offset.Ticks - seconds * TimeSpan.TicksPerSecond) * 100 };
    }

    /// <summary>Without what is null.</summary>
    private static JsonObject Compact(JsonObject value)
    {
        foreach ((string name, JsonNode? member) in value.ToArray())
        {
            if (member is null) value.Remove(name);
            else if (member is JsonObject inner) Compact(inner);
        }

        return value;
    }
}
