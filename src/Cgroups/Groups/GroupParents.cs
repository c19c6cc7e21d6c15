using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>
/// Finds the group to make another beneath, and makes it ready. The last one of each hierarchy is kept open: most groups are
/// made beneath the same. Safe from any thread.
/// </summary>
internal sealed class GroupParents
{
    private const string Given = "cgroup.subtree_control", TypeFile = "cgroup.type";
    private readonly Lock _keeping = new();
    private readonly Dictionary<string, Known> _known = [];

    /// <summary>Whether <see cref="Open"/> may answer from what it has seen before.</summary>
    internal bool AreKnown
    {
        get
        {
            lock (_keeping) return _known.Count > 0;
        }
    }

    /// <returns>To be disposed.</returns>
    /// <exception cref="CgroupException">It cannot be opened, made, or given the controllers.</exception>
    internal GroupDirectory Open(CgroupPlace place, string? parent, IReadOnlyCollection<CgroupController> controllers)
    {
        lock (_keeping)
        {
            if (Find(place, parent, controllers) is { } known && known.TryShare()) return known;
        }

        GroupDirectory directory = parent is null ? GroupDirectory.Open(place.Mount.Version, place.OwnDirectory) : Make(place, parent);
        try
        {
            if (place.Mount.Version == CgroupVersion.V2)
            {
                RefuseThreads(directory);
                EnableAll(place, directory, controllers);
            }
        }
        catch
        {
            directory.Dispose();
            throw;
        }

        Keep(place, new(parent, controllers, directory));
        return directory;
    }

    /// <summary>The next ones are looked for anew.</summary>
    internal void Forget()
    {
        lock (_keeping)
        {
            foreach (Known known in _known.Values) known.Directory.Dispose();
            _known.Clear();
        }
    }

    /// <summary>Whether this process may make groups with such controllers beneath its own, as far as can be seen without trying. Of v2.</summary>
    internal bool MayMake(CgroupPlace place, IReadOnlyCollection<CgroupController> controllers)
    {
        lock (_keeping)
        {
            if (Find(place, null, controllers) is not null) return true;
        }

        try
        {
            using GroupDirectory group = GroupDirectory.Open(CgroupVersion.V2, place.OwnDirectory);
            if (!group.MayWrite("cgroup.procs") || !group.MayWrite(Given)) return false;
            string[] missing = [.. NamesOf(controllers).Except(Words(group.TryRead(Given) ?? ""))];
            if (missing.Length == 0) return true;
            if (missing.Except(Words(group.TryRead("cgroup.controllers") ?? "")).Any()) return false;

            // The root of all groups alone has no type, and may have both processes and groups with controllers.
            return !group.Has(TypeFile) || group.Processes() is var processes && (processes.Count == 0 || AreThisAlone(processes));
        }
        catch (CgroupException)
        {
            return false; // as the attempt will say
        }
    }

    private GroupDirectory? Find(CgroupPlace place, string? parent, IReadOnlyCollection<CgroupController> controllers) =>
        _known.TryGetValue(place.Mount.MountPoint, out Known? known) && known.Parent == parent && controllers.All(known.Controllers.Contains) ? known.Directory : null;

    private void Keep(CgroupPlace place, Known known)
    {
        known.Directory.TryShare();
        lock (_keeping)
        {
            if (_known.Remove(place.Mount.MountPoint, out Known? last)) last.Directory.Dispose();
            _known.Add(place.Mount.MountPoint, known);
        }
    }

    private static GroupDirectory Make(CgroupPlace place, string parent)
    {
        string start = parent.StartsWith('/') ? place.Mount.MountPoint : place.OwnDirectory;
        if (parent.StartsWith('/') && place.DirectoryOf(parent) is null)
            throw new CgroupException(CgroupErrorReason.NotPermitted, $"The control group '{parent}' is not beneath '{place.Mount.Root}', of which alone '{place.Mount.MountPoint}' shows the groups", remedy: "give a group beneath it");
        string[] names = (parent.StartsWith('/') && place.Mount.Root != "/" ? parent[place.Mount.Root.Length..] : parent).Split('/', StringSplitOptions.RemoveEmptyEntries);
        GroupDirectory directory = GroupDirectory.Open(place.Mount.Version, start);
        foreach (string name in names)
        {
            using GroupDirectory above = directory;
            directory = above.TryMake(name) ?? above.Child(name);
            if (place.Mount.Version == CgroupVersion.V1) CpusetV1.Fill(directory, above);
        }

        return directory;
    }

    /// <summary>From the top down: a group can give to those beneath only what it has itself (cgroup-v2, "Top-down Constraint").</summary>
    private static void EnableAll(CgroupPlace place, GroupDirectory parent, IReadOnlyCollection<CgroupController> controllers)
    {
        string[] names = NamesOf(controllers);
        if (names.Length == 0 && !controllers.Contains(CgroupController.PerfEvent)) return;
        string relative = parent.Path[place.Mount.MountPoint.TrimEnd('/').Length..];
        GroupDirectory group = GroupDirectory.Open(CgroupVersion.V2, place.Mount.MountPoint);
        try
        {
            if (controllers.Contains(CgroupController.PerfEvent)) GiveImplicit(group);
            Enable(group, names);
            foreach (string name in relative.Split('/', StringSplitOptions.RemoveEmptyEntries))
            {
                GroupDirectory next = group.Child(name);
                group.Dispose();
                group = next;
                Enable(group, names);
            }
        }
        finally
        {
            group.Dispose();
        }
    }

    /// <summary>
    /// Each group of v2 is one of perf_event's, but for those of a machine where no controller was ever given to any: there
    /// perf_event_open(2) answers ENOENT (seen on 5.10 and 6.1). The first that is given, and taken back, makes them so.
    /// </summary>
    private static void GiveImplicit(GroupDirectory root)
    {
        if (root.Has(TypeFile) || root.TryRead(Given)?.Trim() is not "") return;
        if (Words(root.TryRead("cgroup.controllers") ?? "") is not [string any, ..]) return;
        if (root.TryWrite(Given, "+" + any) == 0) root.TryWrite(Given, "-" + any); // who may not is root's guest, and finds what root has made of it
    }

    private static void Enable(GroupDirectory group, string[] names)
    {
        string[] enabled = Words(group.TryRead(Given) ?? "");
        string[] missing = [.. names.Except(enabled)];
        if (missing.Length == 0) return;
        string[] available = Words(group.TryRead("cgroup.controllers") ?? "");
        string[] absent = [.. missing.Except(available)];
        if (absent.Length > 0)
            throw new CgroupException(CgroupErrorReason.ControllerUnavailable, $"The control group '{group.Path}' has no controller {string.Join(", ", absent)}: it has {string.Join(", ", available)}", remedy: "have it delegated by the group above: its cgroup.subtree_control; systemd delegates with Delegate=cpu cpuset io memory pids, to a user's own manager in user@.service");
        nint result = MakeRoom(group);
        if (result == 0) result = group.TryWrite(Given, string.Join(' ', missing.Select(name => "+" + name)));
        if (result == 0) return;
        LinuxException cause = Syscall.Failure(result, "write", $"{group.Path}/{Given}, \"{string.Join(' ', missing.Select(name => "+" + name))}\"");
        throw Syscall.Is(result, Errno.EBUSY)
            ? new CgroupException(CgroupErrorReason.Busy, $"The control group '{group.Path}' has processes that are not this program's, and so can have no groups with controllers beneath it (cgroup-v2, \"No Internal Process Constraint\")", cause,
                "start the program in a group of its own (systemd-run --user --scope -p Delegate=yes …), choose CgroupDriver.Systemd, or give another parent")
            : GroupFailures.Of(cause, $"enable {string.Join(", ", missing)} for groups beneath '{group.Path}'");
    }

    /// <summary>
    /// Where nobody but this process is in a group, it moves to a group beneath, and makes room for others. Not left to the
    /// kernel's refusal: with controllers that know threads (cpu, cpuset, perf_event, pids) it refuses nothing, and turns the
    /// group into one that can have threads beneath it and no processes (cgroup-v2, "Threads").
    /// </summary>
    /// <returns>0, or -errno: EBUSY where others are in it.</returns>
    private static nint MakeRoom(GroupDirectory group)
    {
        // The root alone has no type, and may have processes.
        if (!group.Has(TypeFile) || group.TryRead("cgroup.procs") is null or "") return 0;
        nint result = group.TryWrite(Given, "");
        if (result != 0) return result;
        List<int> processes = group.Processes();
        if (processes.Count == 0) return 0;
        if (!AreThisAlone(processes)) return -(int)Errno.EBUSY;
        using GroupDirectory leaf = group.TryMake(CgroupPlace.Leaf) ?? group.Child(CgroupPlace.Leaf);
        return leaf.TryWrite("cgroup.procs", "0");
    }

    /// <summary>Beneath such a group another one would take no process.</summary>
    private static void RefuseThreads(GroupDirectory parent)
    {
        if (parent.TryRead(TypeFile) is { } type and not "domain")
            throw new CgroupException(CgroupErrorReason.NotSupported, $"The control group '{parent.Path}' has threads: its cgroup.type is '{type}', and a group beneath it takes no processes (cgroup-v2, \"Threads\")", remedy: "give another parent");
    }

    private static bool AreThisAlone(List<int> processes) => processes is [int process] && process == Environment.ProcessId;

    private static string[] NamesOf(IReadOnlyCollection<CgroupController> controllers) => [.. controllers.Select(ControllerName.V2).OfType<string>().Distinct()];

    private static string[] Words(string text) => text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);

    private sealed record Known(string? Parent, IReadOnlyCollection<CgroupController> Controllers, GroupDirectory Directory);
}
