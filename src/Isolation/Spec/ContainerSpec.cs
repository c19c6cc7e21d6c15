using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Isolation;

/// <summary>
/// All that a container is to be, checked. Immutable and safe to share: one spec can be started any number of times,
/// also at once, which is cheaper than building it anew each time.
/// </summary>
public sealed partial record ContainerSpec
{
    internal ContainerSpec()
    {
    }

    /// <summary>Two specs are equal only if they are one and the same.</summary>
    public bool Equals(ContainerSpec? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    /// <inheritdoc/>
    public override string ToString() => string.Join(' ', Command);

    /// <summary>The program and its arguments.</summary>
    public ImmutableArray<string> Command { get; internal init; } = [];

    /// <summary>The program's environment, and nothing besides it.</summary>
    public ImmutableSortedDictionary<string, string> Environment { get; internal init; } = DefaultEnvironment;

    /// <summary>Where the program starts, an absolute path inside the container.</summary>
    public string WorkingDirectory { get; internal init; } = "/";

    /// <summary>The host name, or null for the container's id.</summary>
    public string? HostName { get; internal init; }

    /// <summary>The NIS domain name, or null for none.</summary>
    public string? DomainName { get; internal init; }

    /// <summary>The image that the root is made of; null for another root.</summary>
    public Images.Image? Image { get; internal init; }

    internal RootFilesystem? Root { get; init; }
    /// <summary>Who unites the layers; chosen where it is null.</summary>
    internal UnionFs.UnionDriver? UnionDriver { get; init; }

    /// <summary>Where the private layer is kept; in memory, and for this container alone, where it is null.</summary>
    internal string? LayerDirectory { get; init; }

    internal long? LayerBytes { get; init; }
    internal NamespaceSet Namespaces { get; init; } = new();
    internal ImmutableArray<IdMapping> UserMappings { get; init; } = [];
    internal ImmutableArray<IdMapping> GroupMappings { get; init; } = [];
    internal bool SubordinateIds { get; init; }

    /// <summary>Ids that no other container has; null where the maps are said otherwise.</summary>
    internal OwnIds? OwnIds { get; init; }
    internal TimeSpan BootTimeOffset { get; init; }
    internal TimeSpan MonotonicTimeOffset { get; init; }
    internal UserSpec? User { get; init; }
    internal int Umask { get; init; } = 0x12; // 022
    internal ProcMount Proc { get; init; } = ProcMount.Automatic;
    internal ImmutableArray<MountSpec> Mounts { get; init; } = [];
    internal ImmutableArray<string> MaskedPaths { get; init; } = [];
    internal ImmutableArray<string> ReadOnlyPaths { get; init; } = [];
    internal bool Nesting { get; init; }
    internal bool Privileged { get; init; }
    internal bool ReadOnlyRoot { get; init; }
    internal ProcOptions ProcOptions { get; init; } = new();
    internal ImmutableSortedDictionary<string, string> Sysctls { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
    internal long TmpSize { get; init; } = 256L << 20;
    internal long RunSize { get; init; } = 64L << 20;
    internal long SharedMemorySize { get; init; } = 64L << 20;
    internal CapabilitySet Capabilities { get; init; } = CapabilitySet.Default;
    /// <summary>Those of <see cref="Capabilities"/> that a program keeps that is not root, and passes on.</summary>
    internal CapabilitySet AmbientCapabilities { get; init; }
    internal bool NoNewPrivileges { get; init; } = true;
    /// <summary>The policy that was given; see <see cref="Filter"/> for the one in force.</summary>
    internal SeccompPolicy? Seccomp { get; init; }
    internal bool Unfiltered { get; init; }

    internal SystemCallInterception? Interception { get; init; }

    /// <summary>Another process that decides about system calls, in place of this one.</summary>
    internal SeccompAgent? Agent { get; init; }

    /// <summary>What system calls are filtered by before the host is asked; null where they are not.</summary>
    internal SeccompPolicy? BaseFilter => Unfiltered ? null : Seccomp ?? (Nesting ? SeccompPolicy.Nesting : SeccompPolicy.Default);

    /// <summary>What system calls are filtered by; null where they are not.</summary>
    internal SeccompPolicy? Filter => Interception is { Calls: { IsEmpty: false } calls } ? (BaseFilter ?? SeccompPolicy.Everything).With(new SeccompRule(calls, SeccompAction.Notify)) : BaseFilter;
    /// <summary>Where a configuration of the Open Container Initiative lists all mounts: only these are there, and nothing by itself.</summary>
    internal OciLayout? Layout { get; init; }

    /// <summary>What is executed, where it is other than the first word of <see cref="Command"/>.</summary>
    internal string? Executable { get; init; }

    /// <summary>The capability sets one by one, in place of <see cref="Capabilities"/>.</summary>
    internal CapabilitySets? Sets { get; init; }

    /// <summary>Supplementary groups that were given; those of the container's own files where it is null.</summary>
    internal ImmutableArray<uint>? Groups { get; init; }

    /// <summary>personality(2); null for the caller's.</summary>
    internal ulong? Personality { get; init; }

    /// <summary>Whether the caller's session keyring stays the program's.</summary>
    internal bool KeepsKeyring { get; init; }

    /// <summary>Whether the program waits for a byte from a FIFO that the launch is given.</summary>
    internal bool HasGate { get; init; }

    /// <summary>Whether a program that has started is not reaped: its exit status is for whoever adopts it (a subreaper, prctl(2)).</summary>
    internal bool LeavesExit { get; init; }

    /// <summary>Takes the master of the program's terminal, in place of the container's holder.</summary>
    internal Action<Linux.FileDescriptor>? OnTerminal { get; init; }

    /// <summary>Called with the process at each stage, which the launch waits for.</summary>
    internal Func<LaunchStage, int, Task>? OnStage { get; init; }

    /// <summary>The runtime that runs it; null for this library.</summary>
    internal OciRuntime? Runtime { get; init; }

    /// <summary>Of what a runtime is executed as: whose container it runs.</summary>
    internal RuntimeUse? RuntimeUse { get; init; }

    internal AppArmorUse? AppArmor { get; init; }
    internal SelinuxUse? Selinux { get; init; }
    internal LandlockPolicy? Landlock { get; init; }
    internal bool Init { get; init; }
    internal TerminalSize? Terminal { get; init; }
    internal ProgramSession Session { get; init; }
    internal bool OutlivesHost { get; init; }
    internal IsolationHost? Host { get; init; }
    internal int? OomScoreAdjustment { get; init; }
    internal ImmutableArray<int> Processors { get; init; } = [];
    internal int? Nice { get; init; }
    internal (SchedulingPolicy Policy, int Priority)? Scheduling { get; init; }
    /// <summary>Where <see cref="Scheduling"/> and <see cref="Nice"/> cannot say it: a deadline, or flags.</summary>
    internal SchedulerAttributes? SchedulerAttributes { get; init; }

    internal MemoryPolicy? MemoryPolicy { get; init; }
    internal (IoPriorityClass Class, int Level)? IoPriority { get; init; }
    internal ImmutableSortedDictionary<ResourceLimitKind, ResourceLimit> ResourceLimits { get; init; } = ImmutableSortedDictionary<ResourceLimitKind, ResourceLimit>.Empty;
    internal Cgroups.ResourceLimits Limits { get; init; } = Cgroups.ResourceLimits.None;
    internal Cgroups.ResourceLimits PreferredLimits { get; init; } = Cgroups.ResourceLimits.None;
    internal string? CgroupParent { get; init; }

    /// <summary>A group that somebody else has made, and removes.</summary>
    internal Cgroups.Cgroup? GivenGroup { get; init; }
    internal Cgroups.CgroupDriver CgroupDriver { get; init; }
    internal ImmutableArray<Cgroups.CgroupController> CgroupMounts { get; init; } = [];
    internal ImmutableArray<Cgroups.CgroupController> CgroupControllers { get; init; } = [];
    /// <summary>What was said by a call and is not the image's to say.</summary>
    internal GivenSettings Given { get; init; }

    /// <summary>Likewise, of the environment.</summary>
    internal ImmutableHashSet<string> GivenVariables { get; init; } = [];

    /// <summary>What was said of the entrypoint; the image's where it is null.</summary>
    internal ImmutableArray<string>? Entrypoint { get; init; }

    /// <summary>Keeps the layers of the image from being removed.</summary>
    internal Images.UnpackedImage? Layers { get; init; }

    internal int StopSignal { get; init; } = Linux.Abi.SIGTERM;
    internal TimeSpan? Timeout { get; init; }
    internal InputSource Input { get; init; } = InputSource.Empty;
    internal OutputTarget Output { get; init; } = OutputTarget.Capture;
    internal OutputTarget Error { get; init; } = OutputTarget.Capture;
    internal ImmutableSortedDictionary<int, Microsoft.Win32.SafeHandles.SafeFileHandle> Descriptors { get; init; } = ImmutableSortedDictionary<int, Microsoft.Win32.SafeHandles.SafeFileHandle>.Empty;
    internal int OutputLimit { get; init; } = 64 << 20;
    internal ImmutableArray<string> DnsServers { get; init; } = [];
    internal ImmutableArray<(string Name, string Address)> ExtraHosts { get; init; } = [];
    /// <summary>The container whose further program this is.</summary>
    internal Container? EntersContainer { get; init; }

    /// <summary>Instead of starting a program the child sends this signal to every process it can reach, and ends.</summary>
    internal int SignalAll { get; init; }

    /// <summary>Instead of starting a program the child makes file calls that the host asks for, until the host closes descriptor 3.</summary>
    internal bool ServesFiles { get; init; }

    /// <summary>The child ends where the program would start, to see whether it gets that far.</summary>
    internal bool IsProbe { get; init; }

    /// <summary>What this library runs while records are read and written.</summary>
    internal bool IsUnrecorded { get; init; }

    /// <summary>Told the child's process when its identity maps are written and it has not gone on yet.</summary>
    internal Action<int>? OnMapped { get; init; }

    internal Action<ContainerEvent>? OnEvent { get; init; }

    internal ILogger Logger { get; init; } = NullLogger.Instance;

    internal static ImmutableSortedDictionary<string, string> DefaultEnvironment { get; } =
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal)
            .Add("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
}
