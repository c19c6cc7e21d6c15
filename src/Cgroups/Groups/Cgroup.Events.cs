using Isolation.Linux;

namespace Isolation.Cgroups;

public sealed partial class Cgroup
{
    private static readonly (string Key, CgroupEventKind? Grown, CgroupEventKind? Shrunk)[] States =
        [("populated", CgroupEventKind.Populated, CgroupEventKind.Empty), ("frozen", CgroupEventKind.Frozen, CgroupEventKind.Thawed)];

    private static readonly (string Key, CgroupEventKind? Grown, CgroupEventKind? Shrunk)[] MemoryEvents =
    [
        ("low", CgroupEventKind.MemoryLow, null), ("high", CgroupEventKind.MemoryHigh, null), ("max", CgroupEventKind.MemoryMax, null),
        ("oom", CgroupEventKind.OutOfMemory, null), ("oom_kill", CgroupEventKind.OutOfMemoryKill, null),
    ];

    private readonly List<CgroupEventWatch> _watches = [];

    /// <summary>
    /// Watches what happens to the group from now on, until it is removed: nothing that comes after this call is missed,
    /// however late it is read.
    /// </summary>
    /// <param name="kinds">What to tell; null for all that the group can tell.</param>
    /// <param name="pressure">Triggers, of which each is told as <see cref="CgroupEventKind.Pressure"/>. v2 only.</param>
    /// <exception cref="CgroupException">The group cannot tell one of the kinds, or nothing at all; or the kernel refuses a trigger.</exception>
    /// <exception cref="ObjectDisposedException">The group is closed.</exception>
    public CgroupEventWatch Watch(IReadOnlyCollection<CgroupEventKind>? kinds = null, IReadOnlyCollection<CgroupPressureTrigger>? pressure = null)
    {
        HashSet<CgroupEventKind> told = [];
        List<Func<Action, EventSource>> sources = [];
        bool Wants(CgroupEventKind kind) => (kinds is null || kinds.Contains(kind)) && told.Add(kind);

        foreach (GroupDirectory group in _parts.Select(part => part.Group).Where(group => group.Version == CgroupVersion.V2))
            Count(group, "cgroup.events", States);
        if (Of(CgroupController.Memory) is { Version: CgroupVersion.V2 } memory) Count(memory, "memory.events", MemoryEvents);
        if (Of(CgroupController.Memory) is { Version: CgroupVersion.V1 } old)
        {
            bool oom = Wants(CgroupEventKind.OutOfMemory), kills = Wants(CgroupEventKind.OutOfMemoryKill);
            if (oom || kills) sources.Add(signal => new OomSource(old, oom, kills, signal));
        }

        if (Of(CgroupController.Pids) is { } pids) Count(pids, "pids.events", [("max", CgroupEventKind.PidsMax, null)]);
        foreach (CgroupPressureTrigger trigger in pressure ?? [])
        {
            GroupDirectory v2 = _parts.FirstOrDefault(part => part.Group.Version == CgroupVersion.V2)?.Group
                ?? throw new CgroupException(CgroupErrorReason.NotSupported, $"The group '{Name}' cannot tell of pressure: it is in no hierarchy of v2", remedy: "v1 counts no pressure of groups; /proc/pressure has the machine's");
            told.Add(CgroupEventKind.Pressure);
            sources.Add(signal => new PressureSource(v2, trigger, signal));
        }

        CgroupEventKind[] untold = [.. (kinds ?? []).Except(told)];
        if (untold.Length > 0 || sources.Count == 0)
            throw new CgroupException(CgroupErrorReason.NotSupported, $"The group '{Name}' cannot tell of {(untold.Length > 0 ? string.Join(", ", untold) : "anything")}",
                remedy: "v1 has events of memory that ran out and of processes alone; pressure needs a trigger; the group must be made with the controller that counts (CgroupOptions.Controllers)");
        try
        {
            lock (_opening)
            {
                CgroupEventWatch watch = new(sources, Forget);
                _watches.Add(watch);
                return watch;
            }
        }
        catch (LinuxException exception)
        {
            throw GroupFailures.Of(exception, $"watch the control group '{Name}'");
        }

        CgroupEventKind? Wanted(CgroupEventKind? kind) => kind is { } known && Wants(known) ? known : null;

        void Count(GroupDirectory group, string file, IEnumerable<(string Key, CgroupEventKind? Grown, CgroupEventKind? Shrunk)> entries)
        {
            (string, CgroupEventKind? Grown, CgroupEventKind? Shrunk)[] wanted =
                [.. entries.Select(entry => (entry.Key, Grown: Wanted(entry.Grown), Shrunk: Wanted(entry.Shrunk))).Where(entry => entry.Grown is not null || entry.Shrunk is not null)];
            if (wanted.Length > 0) sources.Add(signal => new CounterSource(group, file, wanted, signal));
        }
    }

    private void Forget(CgroupEventWatch watch)
    {
        lock (_opening) _watches.Remove(watch);
    }

    /// <summary>Before the group is removed: what its counters say then is what was not told yet.</summary>
    private void TakeEvents()
    {
        CgroupEventWatch[] watches;
        lock (_opening) watches = [.. _watches];
        foreach (CgroupEventWatch watch in watches) watch.Take();
    }
}
