using Isolation.Linux;

namespace Isolation;

/// <summary>Finds what cannot be, or contradicts itself, before anything is created. Each message names what it found and what to do.</summary>
internal static class SpecValidation
{
    private const int MostLayers = 500; // OVL_MAX_STACK

    internal static void Check(ContainerSpec spec)
    {
        CheckProgram(spec);
        Life(spec);
        Root(spec);
        Mounts(spec);
        Namespaces(spec);
        Identity(spec);
        Cgroups.GroupDrivers.Check(spec.CgroupDriver, spec.CgroupParent, null);
    }

    /// <summary>What is checked of a configuration of the Open Container Initiative.</summary>
    internal static void CheckOci(ContainerSpec spec, OciConfig config)
    {
        if (!config.Links.IsEmpty && spec.Namespaces.IsHost(NamespaceKind.Network)) throw new InvalidOperationException("$.linux.netDevices: an interface goes into the container's network namespace, and it has none of its own: add 'network' to linux.namespaces.");
        if (config.IntelRdt is not null && OciIntelRdt.Root is null) throw new InvalidOperationException("$.linux.intelRdt: there is no resctrl here: mount -t resctrl resctrl /sys/fs/resctrl, where the processor has it (rdt_a in /proc/cpuinfo), or ask for nothing of it.");
        if (!spec.Namespaces.IsNew(NamespaceKind.Mount)) throw new InvalidOperationException("$.linux.namespaces: a container with a root of its own needs a new mount namespace.");
        if (!spec.Namespaces.IsNew(NamespaceKind.User) && spec.Mounts.OfType<OciMount>().FirstOrDefault(mount => mount.Options.Maps && mount.Maps is null) is { } mapped)
            throw new InvalidOperationException($"$.mounts: the mount at '{mapped.Target}' is to be seen through an identity map (idmap), and has no mappings, nor has the container a user namespace of its own.");
        CheckProgram(spec);
        Namespaces(spec);
        Identity(spec);
    }

    /// <summary>What is checked of a further program in a container.</summary>
    internal static void CheckProgram(ContainerSpec spec)
    {
        Command(spec);
        Terminal(spec);
        Seccomp(spec);
        Landlock(spec);
    }

    private static void Landlock(ContainerSpec spec)
    {
        if (spec.Landlock is not { } policy) return;
        if (policy.Problem() is { } problem) throw new InvalidOperationException($"The Landlock policy cannot be: {problem}.");
    }

    private static void Seccomp(ContainerSpec spec)
    {
        if (spec.Filter is not { } policy) return;
        if (policy.Problem() is { } problem) throw new InvalidOperationException($"The seccomp policy cannot be: {problem}.");
        if (policy.Notifies && spec is { Interception: null, Agent: null }) throw new InvalidOperationException("The seccomp policy leaves calls to whoever listens (SCMP_ACT_NOTIFY), and nobody does: say who answers with WithSystemCallHandler.");
        if (policy.Notifies && spec is { OutlivesHost: true, Agent: null }) throw new InvalidOperationException("Who answers for system calls ends with the host: leave WithSystemCallHandler or OutliveHost out.");
        ulong[] arguments = new ulong[6];
        string[] all = spec.NoNewPrivileges ? ["execve", "exit_group", "write"] : ["execve", "exit_group", "write", "capset"];
        foreach (string needed in all)
            if (policy.Decide(needed, arguments, spec.Capabilities) is var action && action != SeccompAction.Allow && action != SeccompAction.Log && action != SeccompAction.Notify)
                throw new InvalidOperationException($"The seccomp policy says '{action}' of {needed}: the program could not be started, or it could not be said why. Allow {string.Join(", ", all)}.");
        SeccompCompiler.Get(policy, spec.Capabilities, TargetAbi.Current == TargetAbi.Arm64);
    }

    private static void Terminal(ContainerSpec spec)
    {
        if (spec.Terminal is null) return;
        if (spec.Session != ProgramSession.New) throw new InvalidOperationException("A terminal controls a session, so the program must lead one of its own: leave WithSession or WithTerminal out.");
        if (spec.Input is not EmptyInput || spec.Output is not CapturedTarget || spec.Error is not CapturedTarget)
            throw new InvalidOperationException("A terminal takes the place of all three standard streams: leave WithInput, WithOutput and WithError out, or WithTerminal.");
    }

    // A write to a pipe that nobody can read any more ends a program (pipe(7), SIGPIPE), and so does a terminal that is gone.
    private static void Life(ContainerSpec spec)
    {
        if (!spec.OutlivesHost) return;
        if (spec.Terminal is not null) throw new InvalidOperationException("A terminal ends with the process that holds it: leave WithTerminal or OutliveHost out.");
        if (NeedsHost(spec.Output) || NeedsHost(spec.Error))
            throw new InvalidOperationException("The output of a container that outlives its host cannot go to the host: say with WithOutput and WithError where it goes (OutputTarget.Discard, ToFile, Inherit), or leave OutliveHost out.");
    }

    private static bool NeedsHost(OutputTarget target) => target is CapturedTarget or PipeTarget or LinesTarget or StreamTarget;

    private static void Command(ContainerSpec spec)
    {
        if (spec.Command.IsDefaultOrEmpty) throw new InvalidOperationException("There is no command: say which program to run with WithCommand.");
        if (string.IsNullOrEmpty(spec.Command[0])) throw new InvalidOperationException("The command is empty: its first element is the program to run.");
        foreach (string argument in spec.Command)
        {
            if (argument is null) throw new InvalidOperationException("An argument of the command is null.");
            if (argument.Contains('\0')) throw new InvalidOperationException($"The argument '{argument.Replace("\0", "\\0", StringComparison.Ordinal)}' holds NUL, which no program can be given.");

            if (Length(argument) > LongestString) throw new InvalidOperationException($"The argument '{argument[..20]}...' is {Length(argument)} bytes long; the kernel takes {LongestString}.");
        }

        foreach ((string name, string value) in spec.Environment)
        {
            int length = Length(name) + 1 + Length(value);
            if (length > LongestString) throw new InvalidOperationException($"The environment variable '{(name.Length > 40 ? name[..40] + "..." : name)}' is {length} bytes long with its name; the kernel takes {LongestString}.");
        }
    }

    // MAX_ARG_STRLEN: 32 pages, the terminating NUL included (execve(2)).
    private static int LongestString => 32 * Environment.SystemPageSize - 1;

    private static int Length(string text) => System.Text.Encoding.UTF8.GetByteCount(text);

    private static void Root(ContainerSpec spec)
    {
        bool own = spec.Namespaces.IsNew(NamespaceKind.Mount);
        if (own && spec.Root is null) throw new InvalidOperationException("There is no root: say what the container sees as / with FromHost, FromImage, FromDirectory or FromLayers.");
        if (!own && spec.Root is DirectoryRoot or LayersRoot) throw new InvalidOperationException($"A root directory needs a mount namespace of the container's own; this one is the {spec.Namespaces.Mount}'s. Leave WithMntNs out, or the root.");
        if (spec.Root is DirectoryRoot { Path: var path }) CheckDirectory("root", path);
        if (spec.Root is not LayersRoot && spec.UnionDriver is { } driver) throw new InvalidOperationException($"There are no layers that the driver {driver} could unite: leave WithUnionDriver out, or say FromLayers or FromImage.");
        if (spec.LayerDirectory is { } kept && spec.Root is not LayersRoot { Access: RootAccess.Layered })
            throw new InvalidOperationException($"Nothing is written to the layer '{kept}': it takes FromImage or FromLayers (of one directory, if need be) with RootAccess.Layered.");
        if (spec is { OutlivesHost: true, UnionDriver: UnionFs.UnionDriver.FuseOverlay }) throw new InvalidOperationException("The program of the driver FuseOverlay ends with the host: leave OutliveHost out, or take another driver.");
        if (spec.Root is not LayersRoot { Layers: var layers }) return;
        if (layers.Length > MostLayers && spec.UnionDriver != UnionFs.UnionDriver.Copy)
            throw new InvalidOperationException($"There are {layers.Length} layers, and overlayfs takes {MostLayers}: merge some, or take WithUnionDriver(UnionDriver.Copy).");
        foreach (string layer in layers) CheckDirectory("layer", layer);
    }

    private static void CheckDirectory(string what, string path)
    {
        if (File.Exists(path)) throw new ArgumentException($"The {what} '{path}' is not a directory.");
        if (!Directory.Exists(path)) throw new DirectoryNotFoundException($"The {what} directory '{path}' does not exist.");
    }

    private static void Mounts(ContainerSpec spec)
    {
        if (!spec.Namespaces.IsNew(NamespaceKind.Mount) && (!spec.Mounts.IsEmpty || !spec.MaskedPaths.IsEmpty || !spec.ReadOnlyPaths.IsEmpty))
            throw new InvalidOperationException($"Mounts, masked and read-only paths need a mount namespace of the container's own; this one is the {spec.Namespaces.Mount}'s.");
        string? twice = spec.Mounts.GroupBy(mount => mount.Target).FirstOrDefault(group => group.Count() > 1)?.Key;
        if (twice is not null) throw new InvalidOperationException($"Two mounts go to '{twice}'.");
        foreach (BindMount bind in spec.Mounts.OfType<BindMount>())
            if (bind.Options.Propagation == MountPropagation.Shared && !spec.Namespaces.IsHost(NamespaceKind.User))
                throw new InvalidOperationException($"The mount at '{bind.Target}' cannot be shared: a new user namespace only receives the host's mounts. Use Slave, or WithUserNs(NamespaceSource.Host).");
        foreach (BindMount bind in spec.Mounts.OfType<BindMount>())
        {
            if (Relabelling.ProblemOf(bind) is { } problem) throw new InvalidOperationException(problem);
            if (bind.Options.Relabel != SelinuxRelabel.None && spec.Selinux is not { Process: null } and not { Mounts: not null })
                throw new InvalidOperationException($"The mount at '{bind.Target}' is to be relabelled, and nothing says with which label: use WithSelinux, or give WithSelinuxLabel one for mounts.");
        }
    }

    private static void Namespaces(ContainerSpec spec)
    {
        NamespaceSet namespaces = spec.Namespaces;
        if (spec.Init && !namespaces.IsNew(NamespaceKind.Pid))
            throw new InvalidOperationException($"An init needs a pid namespace of the container's own; this one is the {namespaces.Pid}'s. Leave WithInit or WithPidNs out.");
        if (spec.Proc == ProcMount.Private && namespaces.IsHost(NamespaceKind.Pid))
            throw new InvalidOperationException("A private /proc needs a pid namespace of the container's own, and the pid namespace is the host's: leave WithProc(ProcMount.Private) or WithPidNs(NamespaceSource.Host) out.");
        if (spec.ProcOptions != new ProcOptions() && (!namespaces.IsNew(NamespaceKind.Pid) || !namespaces.IsNew(NamespaceKind.Mount) || spec.Proc is ProcMount.None or ProcMount.Host))
            throw new InvalidOperationException("Options of /proc need a private one: leave WithProcOptions out, or WithProc, WithPidNs and WithMntNs.");
        foreach (string parameter in spec.Sysctls.Keys)
        {
            NamespaceKind kind = SysctlName.KindOf(parameter)!.Value;
            if (!namespaces.IsNew(kind)) throw new InvalidOperationException($"The kernel parameter {parameter} needs {(kind == NamespaceKind.Ipc ? "an ipc" : "a network")} namespace of the container's own; this one is the {namespaces[kind].Description}: setting it would change more than the container.");
            if (namespaces.IsJoined(NamespaceKind.Mount)) throw new InvalidOperationException("Kernel parameters are written by way of /proc, which is the other container's where its mount namespace is joined: leave WithSysctl or WithMntNs out.");
        }

        if (!namespaces.IsNew(NamespaceKind.Uts) && (spec.HostName ?? spec.DomainName) is { } name)
            throw new InvalidOperationException($"The name '{name}' needs a uts namespace of the container's own: leave WithUtsNs({namespaces.Uts}) or the name out.");
        if (!namespaces.IsNew(NamespaceKind.User) && (!spec.UserMappings.IsEmpty || !spec.GroupMappings.IsEmpty || spec.SubordinateIds || spec.OwnIds is not null))
            throw new InvalidOperationException($"Identity maps need a user namespace of the container's own; this one is the {namespaces.User}'s.");
        if (!namespaces.IsNew(NamespaceKind.Time) && (spec.BootTimeOffset != TimeSpan.Zero || spec.MonotonicTimeOffset != TimeSpan.Zero))
            throw new InvalidOperationException("Clock offsets need a time namespace of the container's own.");
    }

    private static void Identity(ContainerSpec spec)
    {
        if (spec.OwnIds is not null && spec.LayerDirectory is not null)
            throw new InvalidOperationException("A layer that is kept has the owners that the container's ids are on the host, and with WithOwnIds these are others each time: map ids with WithUserMapping and WithGroupMapping, or keep no layer.");
        if (spec.SubordinateIds && (!spec.UserMappings.IsEmpty || !spec.GroupMappings.IsEmpty))
            throw new InvalidOperationException("WithSubordinateIds makes the identity maps; leave WithUserMapping and WithGroupMapping out.");
        if (spec.UserMappings.IsEmpty != spec.GroupMappings.IsEmpty)
            throw new InvalidOperationException("User and group ids are mapped together: give both WithUserMapping and WithGroupMapping, or neither.");
    }
}
