using System.Collections.Concurrent;
using System.Collections.Immutable;
using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>
/// The control groups of this machine: which controllers there are, in which version, and where (cgroups(7)). What is
/// mounted or unmounted later is not seen: read it anew. Immutable and safe from any thread.
/// </summary>
public sealed class CgroupSystem
{
    private static CgroupSystem? _current;
    private bool? _mayLimit;
    private readonly ImmutableArray<CgroupMount> _mounts;
    private readonly ImmutableArray<CgroupPlace?> _places;
    private readonly IReadOnlyDictionary<string, bool> _kernel;
    private readonly ConcurrentDictionary<string, CgroupSystem> _mounting = [];
    private volatile CgroupSystem? _moved;

    private CgroupSystem(CgroupFacts facts)
    {
        _mounts = CgroupMount.Parse(facts.MountInfo);
        OwnGroups own = OwnGroups.Parse(facts.OwnGroups);
        _kernel = KernelControllers.Parse(facts.Controllers);
        Unified = _mounts.FirstOrDefault(mount => mount.Version == CgroupVersion.V2) is { } v2 ? new CgroupPlace(v2, own.V2 ?? "/") : null;
        string[] unified = Unified is null ? [] : facts.V2Controllers(Unified.Mount.MountPoint).Split(' ', '\n').Where(word => word.Length > 0).ToArray();
        bool hasV1 = _mounts.Any(mount => mount.Version == CgroupVersion.V1 && mount.Controllers.Length > 0);
        Mode = (hasV1, Unified) switch
        {
            (true, null) => CgroupMode.V1,
            (true, _) => CgroupMode.Hybrid,
            (false, null) => CgroupMode.None,
            _ => CgroupMode.V2,
        };
        _places = [.. ControllerName.All.Select(controller => Find(controller, own, unified))];
        Controllers = [.. ControllerName.All.Select(Describe)];
        SystemdAbsence = facts.SystemdAbsence;
    }

    private CgroupSystem(CgroupSystem before, CgroupPlace? unified, IEnumerable<CgroupPlace?> places)
    {
        (_mounts, Mode, _kernel, SystemdAbsence, Unified, _places) = (before._mounts, before.Mode, before._kernel, before.SystemdAbsence, unified, [.. places]);
        Controllers = [.. ControllerName.All.Select(Describe)];
    }

    /// <summary>As it was when a process first asked.</summary>
    /// <exception cref="CgroupException">A file under <c>/proc</c> does not read as cgroups(7) says.</exception>
    public static CgroupSystem Current => _current ?? Interlocked.CompareExchange(ref _current, Read(), null) ?? _current!;

    /// <summary>Which versions are mounted.</summary>
    public CgroupMode Mode { get; }

    /// <summary>Every controller that is known here, in the order of <see cref="CgroupController"/>.</summary>
    public IReadOnlyList<CgroupControllerSupport> Controllers { get; }

    /// <summary>Why <see cref="CgroupDriver.Systemd"/> is not to be had by this user; null where there is a bus that it should be on.</summary>
    public string? SystemdAbsence { get; }

    /// <summary>The hierarchy of v2, whether it has controllers or not.</summary>
    internal CgroupPlace? Unified { get; }

    internal GroupParents Parents { get; } = new();

    /// <summary>As it is now. <see cref="Current"/> stays what it was.</summary>
    /// <exception cref="CgroupException">A file under <c>/proc</c> does not read as cgroups(7) says.</exception>
    public static CgroupSystem Read() => Of(CgroupFacts.Read());

    /// <summary>Where a controller is.</summary>
    public CgroupControllerSupport this[CgroupController controller] => Controllers[(int)controller];

    /// <summary>
    /// The same, with controllers of v1 that are mounted nowhere, such as <see cref="CgroupController.NetClass"/>: mounted at no
    /// path, for this process alone, as long as it has groups there or has made one. What is mounted already stays where it
    /// is. Meanwhile nobody can mount these controllers in another combination; net_cls and net_prio go together, as
    /// distributions mount them. fsmount(2), Linux 5.2.
    /// </summary>
    /// <exception cref="CgroupException">
    /// The kernel has no such controller; or this process may not mount it: that takes CAP_SYS_ADMIN in the first user
    /// namespace, and the first control group namespace (cgroup_namespaces(7)).
    /// </exception>
    public CgroupSystem MountPrivately(params IReadOnlyCollection<CgroupController> controllers)
    {
        ArgumentNullException.ThrowIfNull(controllers);
        string[] missing = [.. controllers.Where(controller => PlaceOf(controller) is null).Select(ControllerName.V1).Order(StringComparer.Ordinal).Distinct()];
        return missing.Length == 0 ? this : _mounting.GetOrAdd(string.Join(',', missing), static (_, of) => of.System.Mount(of.Missing), (System: this, Missing: missing));
    }

    private CgroupSystem Mount(string[] missing)
    {
        OwnGroups own = OwnGroups.Read();
        CgroupPlace?[] places = [.. _places];
        foreach (string name in missing)
        {
            if (places[(int)ControllerName.Find(name)!] is not null) continue; // together with one before it
            if (!IsFree(name)) throw new CgroupException(CgroupErrorReason.ControllerUnavailable, $"The controller {name} cannot be mounted: {Absence(name)}");
            CgroupPlace place = PrivateHierarchy.PlaceOf(name, own, IsFree);
            try
            {
                PrivateHierarchy.Open(place.Mount.MountPoint).Dispose();
            }
            catch (LinuxException exception)
            {
                throw Refused(name, exception);
            }

            foreach (string together in place.Mount.Controllers)
                if (ControllerName.Find(together) is { } controller) places[(int)controller] ??= place;
        }

        return new(this, Unified, places);
    }

    private static CgroupException Refused(string name, LinuxException exception) => exception.Errno switch
    {
        Errno.EPERM => new(CgroupErrorReason.NotPermitted, $"Cannot mount the controller {name}", exception, "run as root, in the first user and control group namespaces; or have it mounted there"),
        Errno.EINVAL => new(CgroupErrorReason.ControllerUnavailable, $"Cannot mount the controller {name}", exception, "the kernel was started with cgroup_no_v1=all, or with this one: start it without"),
        Errno.EBUSY => new(CgroupErrorReason.Busy, $"Cannot mount the controller {name}", exception, "a group of v2 uses it, or it is mounted together with others"),
        _ => new(CgroupErrorReason.NotSupported, $"Cannot mount the controller {name}", exception, "mount it: mount -t cgroup -o " + name + " none DIRECTORY"),
    };

    /// <summary>Whether the kernel has it, and here no hierarchy that is mounted.</summary>
    private bool IsFree(string name) => _kernel.GetValueOrDefault(name) && ControllerName.Find(name) is { } controller && PlaceOf(controller) is null;

    internal static CgroupSystem Of(CgroupFacts facts) => new(facts);

    internal bool HasMoved => _moved is not null;

    /// <summary>The same, once this process has gone to another group of v2.</summary>
    internal CgroupSystem MovedTo(CgroupPlace place)
    {
        CgroupSystem? moved = _moved;
        return moved?.Unified == place ? moved : _moved = new(this, place, _places.Select(other => other is { Mount.Version: CgroupVersion.V2 } ? place : other));
    }

    /// <summary>The hierarchy that a controller is in; null where there is none.</summary>
    /// <summary>Whether this process may make groups that limit memory, processors and processes, as far as can be seen without trying.</summary>
    internal bool MayLimit => _mayLimit ??= ReadMayLimit();

    private bool ReadMayLimit()
    {
        CgroupController[] controllers = [CgroupController.Memory, CgroupController.Cpu, CgroupController.Pids];
        if (Mode == CgroupMode.V2) return Parents.MayMake(Unified!, controllers) || SystemdClient.Find(out _) is not null;
        CgroupPlace[] places = [.. controllers.Select(PlaceOf).OfType<CgroupPlace>()];
        return places.Length > 0 && places.All(place => FilePaths.MayWrite(place.OwnDirectory));
    }

    internal CgroupPlace? PlaceOf(CgroupController controller) => _places[(int)controller];

    private CgroupPlace? Find(CgroupController controller, OwnGroups own, string[] unified)
    {
        string name = ControllerName.V1(controller);
        if (_mounts.FirstOrDefault(mount => mount.Controllers.Contains(name)) is { } v1) return new CgroupPlace(v1, own.V1.GetValueOrDefault(name, "/"));
        if (Unified is null) return null;

        // Built into each group of v2, which counts and freezes its processes whatever is enabled; perf_event is an "implicit" controller, which no file lists.
        if (controller is CgroupController.CpuAccounting or CgroupController.Freezer or CgroupController.Devices or CgroupController.PerfEvent or CgroupController.Pressure) return Unified;
        return ControllerName.V2(controller) is { } v2 && unified.Contains(v2) ? Unified : null;
    }

    private CgroupControllerSupport Describe(CgroupController controller) => PlaceOf(controller) is { } place
        ? new(controller, place.Mount.Version, place.Mount.MountPoint, null)
        : new(controller, null, null, Absence(ControllerName.V1(controller)));

    private string Absence(string name)
    {
        if (!_kernel.TryGetValue(name, out bool enabled)) return $"the kernel has no controller '{name}'";
        if (!enabled) return $"the kernel was started with cgroup_disable={name}";
        string where = Mode == CgroupMode.V2 && ControllerName.Find(name) is { } controller && ControllerName.V2(controller) is null ? $"v2 has no controller '{name}', and no" : "no";
        return $"{where} hierarchy with '{name}' is mounted: mount -t cgroup -o {name} none DIRECTORY, or CgroupSystem.MountPrivately does it for one program";
    }
}
