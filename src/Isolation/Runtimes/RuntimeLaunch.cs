using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// Runs a container under another OCI runtime. The runtime's command runs in a container of ours that has the host's files and privileges, and a pid, mount and cgroup namespace
/// of its own: its bundle is in memory there, its mounts are seen nowhere else, its control groups are beneath ours, and all of it dies with its first process.
/// </summary>
internal static class RuntimeLaunch
{
    private const int LogDescriptor = 3;
    private static readonly string[] Places = ["/mnt", "/media", "/srv", "/opt", "/run"];
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20), EndPatience = TimeSpan.FromSeconds(10);

    /// <exception cref="ContainerException">It cannot be started: the runtime's words.</exception>
    internal static async Task<ContainerLaunch> StartAsync(ContainerSpec spec, bool unattended, CancellationToken cancellationToken)
    {
        (FileDescriptor read, FileDescriptor write) = Descriptors.Pipe();
        ContainerLaunch? launch = null;
        try
        {
            using (write)
            {
                ContainerSpec outer = Outer(spec, write);
                launch = unattended ? ContainerLaunch.BeginUnattended(outer, cancellationToken) : ContainerLaunch.Begin(outer, cancellationToken);
                await launch.Started.ConfigureAwait(false);
            }

            if (!unattended) await RunsAsync(new Container(launch), cancellationToken).ConfigureAwait(false);
            else await ((Task)launch.Ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (launch.Ended.IsCompletedSuccessfully && launch.Ended.Result.ExitCode is not (null or 0) && Problem(read) is { } problem)
            {
                if (launch.ReleaseRoot() is { } release) await release.ConfigureAwait(false);
                throw new ContainerException(ContainerErrorReason.LaunchFailed, $"{spec.Runtime} does not start the container: {problem}", null, "see its documentation; what of a spec it is given says ContainerSpec.ToOci");
            }

            return launch;
        }
        finally
        {
            // The runtime may write to its log until it ends, and a pipe that nobody reads would end it.
            _ = CloseAfterAsync(read, launch);
        }
    }

    private static async Task CloseAfterAsync(FileDescriptor log, ContainerLaunch? launch)
    {
        if (launch is not null) await ((Task)launch.Ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        log.Dispose();
    }

    /// <summary>What the runtime is executed as.</summary>
    private static ContainerSpec Outer(ContainerSpec spec, FileDescriptor log)
    {
        OciRuntime runtime = spec.Runtime!;
        Check(spec);
        string program = runtime.Find(), place = PlaceFor(spec);
        ContainerSpec given = Translated(spec);
        PlanInputs inputs = LaunchInputs.Gather(given);
        bool united = given.Root is not DirectoryRoot { Access: not RootAccess.Layered };
        string root = united ? $"{place}/rootfs" : ((DirectoryRoot)given.Root!).Path;
        List<CopiedEntry> content = [Directory("rootfs"), Directory("state"), Directory("etc")];
        List<JsonObject> mounts = [.. BeneathRoot(given), .. EtcFiles(inputs, place, content)];
        OciDocument document = OciExport.Write(inputs, (root, given.Root is { IsReadOnly: true } or LayersRoot { Access: RootAccess.ReadOnly }), "container", mounts, runtime);
        content.Add(File("config.json", Encoding.UTF8.GetBytes(document.Json)));
        ImmutableArray<string> command = [program, "--root", $"{place}/state", "--log", $"/proc/self/fd/{LogDescriptor}", "--log-format", "json", .. OwnArguments(runtime, spec), .. runtime.Arguments];
        List<OciMount> outer = [New("proc", "proc", "/proc", "nosuid", "noexec", "nodev"), New("bind", "/dev", "/dev", "rbind")];
        if (System.IO.Directory.Exists("/sys/fs/cgroup")) outer.Add(runtime.Kind == RuntimeKind.Crun ? New("tmpfs", "tmpfs", "/sys/fs/cgroup", "nosuid", "noexec", "nodev") : New("cgroup", "cgroup", "/sys/fs/cgroup", "nosuid", "noexec", "nodev"));
        outer.Add(New("tmpfs", "tmpfs", place, "mode=0711") with { Content = [.. content] });
        if (united) outer.Add(New("bind", "/", root, "bind") with { Union = Layers(given) });
        NamespaceSet namespaces = new();
        for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++)
            namespaces = namespaces.With(kind, kind is NamespaceKind.Pid or NamespaceKind.Mount or NamespaceKind.Cgroup || (kind == NamespaceKind.User && !IsPrivileged) ? NamespaceSource.New : NamespaceSource.Host);
        return new()
        {
            Command = [.. command, "run", "--bundle", place, RuntimeUse.Id],
            Environment = Variables(place),
            RuntimeUse = new(runtime, spec, command, [.. runtime.Ignored(spec), .. document.Omitted.Where(line => !line.StartsWith("the root file system", StringComparison.Ordinal)).Select(line => (line, "no field of the standard says it"))]),
            Root = new DirectoryRoot("/", RootAccess.ReadWrite), Layout = new(), Mounts = [.. outer], Namespaces = namespaces,
            UserMappings = IsPrivileged ? [] : spec.UserMappings, GroupMappings = IsPrivileged ? [] : spec.GroupMappings, SubordinateIds = !IsPrivileged && spec.SubordinateIds,
            Descriptors = ImmutableSortedDictionary<int, Microsoft.Win32.SafeHandles.SafeFileHandle>.Empty.Add(LogDescriptor, new(log.Number, ownsHandle: false)),
            User = UserSpec.Parse("0:0"), Groups = [], Capabilities = CapabilitySet.All, NoNewPrivileges = false, Unfiltered = true, KeepsKeyring = true, Init = true,
            Input = spec.Input, Output = spec.Output, Error = spec.Error, OutputLimit = spec.OutputLimit, Terminal = spec.Terminal, Timeout = spec.Timeout, StopSignal = spec.StopSignal,
            Limits = spec.Limits, PreferredLimits = spec.PreferredLimits, CgroupControllers = spec.CgroupControllers, CgroupParent = spec.CgroupParent, CgroupDriver = spec.CgroupDriver,
            OnEvent = spec.OnEvent, Logger = spec.Logger, Host = spec.Host, Layers = spec.Layers,
        };
    }

    internal static ImmutableSortedDictionary<string, string> Variables(string place) =>
        ContainerSpec.DefaultEnvironment.SetItem("HOME", "/").SetItem("XDG_RUNTIME_DIR", place).SetItem("TMPDIR", place);

    private static bool IsPrivileged => HostFactsReader.Current.Has(Capability.SysAdmin) && HostFactsReader.Current.Has(Capability.Setuid);

    /// <exception cref="ContainerException">It cannot be run so.</exception>
    private static void Check(ContainerSpec spec)
    {
        if (spec.OutlivesHost) throw Refused("a container that outlives its host", "leave OutliveHost out");
        if (spec.Interception is not null) throw Refused("a handler of system calls", "leave WithSystemCallHandler out");
        if (!spec.Descriptors.IsEmpty) throw Refused("descriptors of the caller's", "leave WithDescriptor out");
        if (spec.Landlock is not null) throw Refused("a Landlock policy", "leave WithLandlock out");
        if (spec.Oci is { Hooks.IsEmpty: false }) throw Refused("hooks", "give them to the runtime itself");
        for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++)
            if (spec.Namespaces.IsJoined(kind)) throw Refused($"a {kind} namespace that is joined", "leave it new, or the host's");
        if (!IsPrivileged && spec.Root is not DirectoryRoot { Access: not RootAccess.Layered })
            throw new ContainerException(ContainerErrorReason.MountFailed, "The root under another runtime is a union of layers, which takes root", null, "give a directory with FromDirectory, or run as root");

        static ContainerException Refused(string what, string remedy) => new(ContainerErrorReason.LaunchFailed, $"Another runtime cannot be given {what}", null, remedy);
    }

    /// <summary>What the configuration says: of an unprivileged caller without the user namespace, which is around the runtime already.</summary>
    private static ContainerSpec Translated(ContainerSpec spec)
    {
        if (!IsPrivileged) spec = spec with { User = spec.User ?? UserSpec.Parse("0:0"), Namespaces = spec.Namespaces.With(NamespaceKind.User, NamespaceSource.Host), UserMappings = [], GroupMappings = [], SubordinateIds = false, OwnIds = null };

        // Layers are not seen through a map: what is root's in them is to be root's.
        return spec.Root is DirectoryRoot ? spec : spec with { Namespaces = spec.Namespaces.With(NamespaceKind.User, NamespaceSource.Host), UserMappings = [], GroupMappings = [], SubordinateIds = false, OwnIds = null };
    }

    private static LayersRoot Layers(ContainerSpec spec) => spec.Root switch
    {
        LayersRoot layers => layers with { Access = RootAccess.Layered },
        DirectoryRoot directory => new([directory.Path], RootAccess.Layered) { LayerSize = directory.LayerSize },
        _ => new(["/"], RootAccess.Layered) { LayerSize = spec.Root!.LayerSize },
    };

    /// <summary>The host's mounts beneath its root, which no layer shows.</summary>
    private static IEnumerable<JsonObject> BeneathRoot(ContainerSpec spec)
    {
        if (spec.Root is not HostRoot) yield break;
        foreach (string path in HostMounts()) yield return OciExport.Mount(path, "bind", path, "bind", "ro", "nosuid", "nodev");
    }

    private static string[] HostMounts()
    {
        string[] own = ["/proc", "/sys", "/dev", "/tmp", "/run", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];
        return [.. HostFiles.WithRoot(HostFactsReader.Current).Mounts.Select(mount => mount.Path).Where(mount => mount != "/" && !own.Any(path => mount == path || mount.StartsWith(path + "/", StringComparison.Ordinal)))];
    }

    private static IEnumerable<JsonObject> EtcFiles(PlanInputs inputs, string place, List<CopiedEntry> content)
    {
        foreach (string target in EtcSteps.Targets(inputs.Spec).ToArray())
        {
            content.Add(File(target, Encoding.UTF8.GetBytes(EtcSteps.TextOf(target, inputs, "container"))));
            yield return OciExport.Mount("/" + target, "bind", $"{place}/{target}", "bind", "rw", "nosuid", "nodev");
        }
    }

    private static string[] OwnArguments(OciRuntime runtime, ContainerSpec spec) => runtime.Kind switch
    {
        RuntimeKind.Crun => ["--cgroup-manager=disabled"],
        RuntimeKind.Gvisor => runtime.Arguments.Any(argument => argument.StartsWith("--network", StringComparison.Ordinal)) ? ["--ignore-cgroups"] : ["--ignore-cgroups", "--network=none"],
        _ => [],
    };

    /// <summary>A directory of every host, which nothing that is bound lies in.</summary>
    private static string PlaceFor(ContainerSpec spec)
    {
        IEnumerable<string> used = [.. spec.Mounts.OfType<BindMount>().Select(bind => bind.Source), .. spec.Root switch { DirectoryRoot root => (string[])[root.Path], LayersRoot layers => [.. layers.Layers], _ => HostMounts() }];
        return Places.FirstOrDefault(place => System.IO.Directory.Exists(place) && !used.Any(path => path == place || path.StartsWith(place + "/", StringComparison.Ordinal)))
            ?? throw new ContainerException(ContainerErrorReason.MountFailed, $"There is no directory to put the bundle at: {string.Join(", ", Places)} are not there, or bound", null, "make one of them");
    }

    /// <summary>Until the runtime says that the program runs, or it has ended.</summary>
    private static async Task RunsAsync(Container container, CancellationToken cancellationToken)
    {
        while (!container.Launch.Ended.IsCompleted)
        {
            string? status = await StatusAsync(container, cancellationToken).ConfigureAwait(false);
            if (status == "running") return;

            // One whose program has ended, or could not be started: which of the two it was, the runtime has said once it has ended itself.
            await ((Task)container.Launch.Ended).WaitAsync(status == "stopped" ? EndPatience : Look, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (status == "stopped") return;
        }
    }

    private static async Task<string?> StatusAsync(Container container, CancellationToken cancellationToken)
    {
        try
        {
            RuntimeUse use = container.Launch.Spec.RuntimeUse!;
            ContainerResult result = await RuntimeExec.Raw(container, ["state", RuntimeUse.Id]).RunAsync(cancellationToken).ConfigureAwait(false);
            using JsonDocument state = JsonDocument.Parse(result.Succeeded ? result.StandardOutput : "{}");
            return state.RootElement.TryGetProperty("status", out JsonElement status) ? status.GetString() : null;
        }
        catch (Exception exception) when (exception is ContainerException or ContainerStateException or JsonException)
        {
            return null; // it ends
        }
    }

    /// <summary>What the runtime has written to its log; null where there is no error in it.</summary>
    private static string? Problem(FileDescriptor log)
    {
        NonBlocking.Set(log);
        byte[] bytes = new byte[65536];
        nint count = Descriptors.TryRead(log, bytes);
        if (count <= 0) return null;
        List<string> problems = [];
        foreach (string line in Encoding.UTF8.GetString(bytes, 0, (int)count).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            try
            {
                JsonNode? entry = JsonNode.Parse(line);
                if ((string?)entry?["level"] is "error" or "fatal" && (string?)entry["msg"] is { } message) problems.Add(message);
            }
            catch (JsonException)
            {
                problems.Add(line);
            }
        }

        return problems.Count == 0 ? null : string.Join("; ", problems);
    }

    private static OciMount New(string type, string source, string target, params string[] options) => new(type, source, target, OciMountOptions.Parse(options));

    private static CopiedEntry Directory(string name) => new(name, new() { Type = FileType.Directory, Mode = 0x1ED }, [], null);

    private static CopiedEntry File(string name, byte[] content) => new(name, new() { Type = FileType.Regular, Mode = 0x1A4 }, [.. content], null);
}
