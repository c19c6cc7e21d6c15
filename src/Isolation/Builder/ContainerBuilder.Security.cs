using System.Collections.Immutable;
using Isolation.Cgroups;

namespace Isolation;

public sealed partial class ContainerBuilder
{
    private const uint Nobody = 65534;

    /// <summary>
    /// Sets a kernel parameter of the container's own namespaces (sysctl(8)): <c>net.*</c> of its network namespace, <c>fs.mqueue.*</c> and
    /// <c>kernel.{msgmax,msgmnb,msgmni,sem,shmall,shmmax,shmmni,shm_rmid_forced}</c> of its ipc namespace. Any other is the host's, and refused. Before Linux 5.19
    /// root of a user namespace may not set those of ipc.
    /// </summary>
    /// <param name="name">With dots, or with slashes where a part has a dot, as of an interface: <c>net/ipv4/conf/eth0.1/forwarding</c>.</param>
    /// <param name="value">One line.</param>
    public ContainerBuilder WithSysctl(string name, string value)
    {
        string dotted = SysctlName.Checked(name);
        return Set(Draft with { Sysctls = Draft.Sysctls.SetItem(dotted, SysctlName.CheckedValue(dotted, value)) });
    }

    /// <summary>Binds a device of the host into the container, where file modes and control groups then say who may use it.</summary>
    /// <param name="path">Of the host, below <c>/dev</c> as a rule; it is at the same place inside.</param>
    public ContainerBuilder WithDevice(string path) => WithBind(path, Path.GetFullPath(PathText.Absolute(path, nameof(path))), new BindOptions { AllowDevices = true, AllowExecution = false });

    /// <summary>
    /// Labels the program, further programs of the container and what is mounted for it, so that SELinux keeps it from the host and from other containers
    /// (selinux(8)): with the types that the policy in use has for containers (<c>contexts/lxc_contexts</c>, or container_t and container_file_t) and a pair of
    /// categories that no other container of this user has while it lives. Each such container is planned anew.
    /// </summary>
    /// <param name="preferred">Where the kernel has no SELinux the program runs without, and <see cref="Container.Enforcement"/> says so.</param>
    /// <exception cref="ContainerException">At the launch: the kernel has no SELinux, does not know the types, or does not let this process use them.</exception>
    public ContainerBuilder WithSelinux(bool preferred = false) => Set(Draft with { Selinux = new(null, null, preferred) });

    /// <summary>
    /// Takes nearly all confinement away: all capabilities, every system call, set-user-ID programs, the host's devices, <c>/proc</c> and <c>/sys</c> without
    /// masks and writable, and, where the caller has CAP_SYS_ADMIN, the host's user namespace. Root of the container is then root of the host. What is left
    /// is that it sees files, processes and a network of its own.
    /// </summary>
    public ContainerBuilder WithPrivileged() => WithSecurity(SecurityProfile.Privileged);

    /// <summary>
    /// Sets all that confines a program at once; what is said afterwards changes it. See <see cref="SecurityProfile"/> for what each is.
    /// </summary>
    public ContainerBuilder WithSecurity(SecurityProfile profile)
    {
        if (!Enum.IsDefined(profile)) throw new ArgumentOutOfRangeException(nameof(profile), profile, "There is no such profile.");
        ContainerSpec draft = Draft with
        {
            Capabilities = CapabilitySet.Default, AmbientCapabilities = CapabilitySet.None, NoNewPrivileges = true, Seccomp = null, Unfiltered = false, Landlock = null,
            Privileged = false, ReadOnlyRoot = false, ProcOptions = new(),
        };
        if (Draft.Privileged) draft = draft with { Namespaces = draft.Namespaces.With(NamespaceKind.User, NamespaceSource.New), Mounts = draft.Mounts.Remove(HostsDevices) };
        return Set(profile switch
        {
            SecurityProfile.Strict => Strict(draft),
            SecurityProfile.Untrusted => Untrusted(Strict(draft)),
            SecurityProfile.Privileged => Privileged(draft),
            _ => draft,
        });
    }

    private static readonly BindMount HostsDevices = new("/dev", "/dev") { Options = new() { AllowDevices = true } };

    private static ContainerSpec Strict(ContainerSpec draft) => draft with
    {
        Capabilities = CapabilitySet.None,
        Seccomp = SeccompPolicy.Strict,
        Landlock = new LandlockPolicy { Refused = 0, Scopes = LandlockScopes.All, BestEffort = true },
        ProcOptions = new() { Hidden = HiddenProcesses.Invisible },
    };

    private static ContainerSpec Untrusted(ContainerSpec draft)
    {
        HostFacts host = HostFactsReader.Current;
        bool mayChoose = host.Has(Capability.Setuid) && host.Has(Capability.Setgid);
        return draft with
        {
            Namespaces = draft.Namespaces.With(NamespaceKind.User, NamespaceSource.New).With(NamespaceKind.Network, NamespaceSource.New),
            User = UserSpec.Parse(FormattableString.Invariant($"{Nobody}:{Nobody}")),
            OwnIds = mayChoose ? new(Nobody, 1) : null,
            UserMappings = mayChoose ? [] : [new(Nobody, host.UserId, 1)],
            GroupMappings = mayChoose ? [] : [new(Nobody, host.GroupId, 1)],
            SubordinateIds = false,
            ReadOnlyRoot = true,
            ProcOptions = new() { Hidden = HiddenProcesses.Invisible, ProcessesOnly = true },
            TmpSize = 64L << 20, RunSize = 16L << 20, SharedMemorySize = 16L << 20,
            PreferredLimits = ResourceLimits.None with { Memory = 512L << 20, Cpus = 1, Pids = 256 },
            ResourceLimits = draft.ResourceLimits.SetItems(
            [
                new(ResourceLimitKind.OpenFiles, new(1024, 1024)), new(ResourceLimitKind.CoreDump, new(0, 0)), new(ResourceLimitKind.FileSize, new(64L << 20, 64L << 20)),
                new(ResourceLimitKind.LockedMemory, new(0, 0)), new(ResourceLimitKind.MessageQueues, new(0, 0)),
            ]),
            Timeout = draft.Timeout ?? TimeSpan.FromMinutes(1),
        };
    }

    private static ContainerSpec Privileged(ContainerSpec draft) => draft with
    {
        Privileged = true, Capabilities = CapabilitySet.All, NoNewPrivileges = false, Unfiltered = true,
        Namespaces = HostFactsReader.Current.Has(Capability.SysAdmin) ? draft.Namespaces.With(NamespaceKind.User, NamespaceSource.Host) : draft.Namespaces,
        Mounts = draft.Mounts.Any(mount => mount.Target == "/dev") ? draft.Mounts : draft.Mounts.Add(HostsDevices),
    };
}
