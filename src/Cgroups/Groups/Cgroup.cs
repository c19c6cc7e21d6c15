using System.Collections.Immutable;
using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>
/// A control group, in every hierarchy that it takes: limits what its processes use, counts it, stops and kills them all.
/// It stays until it is removed. Safe from any thread.
/// </summary>
/// <remarks>Sources: cgroups(7); the kernel's Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.</remarks>
public sealed partial class Cgroup : IAsyncDisposable
{
    private readonly ImmutableArray<GroupPart> _parts;
    private readonly CgroupSystem _system;
    private readonly List<UnappliedLimit> _unapplied = [];

    private Cgroup(string name, CgroupSystem system, ImmutableArray<GroupPart> parts)
    {
        (Name, _system, _parts) = (name, system, parts);
    }

    /// <summary>Of its directories.</summary>
    public string Name { get; }

    /// <summary>Its directory in each hierarchy that it is in.</summary>
    public IReadOnlyList<string> Directories => [.. _parts.Select(part => part.Group.Path)];

    /// <summary>What was preferred and is not in force.</summary>
    public IReadOnlyList<UnappliedLimit> Unapplied => _unapplied;

    internal ImmutableArray<GroupPart> Parts => _parts;

    /// <summary>Makes a group with limits. All of it is made, or nothing is left of it.</summary>
    /// <param name="name">A single name, without a slash.</param>
    /// <param name="limits">What must be in force.</param>
    /// <param name="options">Where and how.</param>
    /// <exception cref="ArgumentException">The name or a limit is none, or there is neither a limit nor a controller.</exception>
    /// <exception cref="CgroupException">A controller is missing, or the kernel refuses; <see cref="CgroupException.Reason"/> says why.</exception>
    public static Cgroup Create(string name, ResourceLimits limits, CgroupOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(limits);
        options ??= new();
        if (name.AsSpan().IndexOfAny('/', '\n', '\0') >= 0 || name is "." or "..") throw new ArgumentException($"A control group's name is one name of a directory, and not '{name}'.", nameof(name));
        LimitValidation.Check(limits);
        LimitValidation.Check(options.Preferred);
        if (limits == ResourceLimits.None && options.Preferred == ResourceLimits.None && options.Controllers.Count == 0)
            throw new ArgumentException("A control group without a limit needs a controller: name one in CgroupOptions.Controllers.", nameof(limits));
        GroupDrivers.Check(options.Driver, options.Parent, nameof(options));
        CgroupController[] controllers = ControllersOf(limits, options);
        options = GroupDrivers.Prepare(options, controllers);
        bool known = options.System.Parents.AreKnown;
        try
        {
            return Create(name, controllers, limits, options);
        }
        catch (CgroupException exception) when (known && exception.Errno is (Errno.ENOENT or Errno.ENODEV))
        {
            // A parent that was known from before may have been removed since, or had controllers taken from it.
            options.System.Parents.Forget();
            return Create(name, controllers, limits, options);
        }
    }

    private static Cgroup Create(string name, CgroupController[] controllers, ResourceLimits limits, CgroupOptions options)
    {
        Cgroup group = new(name, options.System, Make(name, controllers, options));
        try
        {
            group.Configure(limits, options.Preferred);
            return group;
        }
        catch
        {
            group.Discard();
            throw;
        }
    }

    /// <summary>In how many hierarchies of a version such a group would be.</summary>
    internal static int HierarchiesOf(ResourceLimits limits, CgroupOptions options, CgroupVersion version) =>
        Hierarchies(ControllersOf(limits, options), options).Count(hierarchy => hierarchy.Key.Mount.Version == version);

    /// <summary>A group that was made before, by its directories; null where none of them is left.</summary>
    internal static Cgroup? Find(IReadOnlyList<string> directories)
    {
        List<GroupPart> parts = [];
        foreach (string directory in directories)
        {
            if (PrivateHierarchy.IsPath(directory) && PrivateHierarchy.IsGone(directory)) continue;
            try
            {
                GroupDirectory group = GroupDirectory.Open(version: null, directory);
                parts.Add(new(GroupDirectory.Open(group.Version, System.IO.Path.GetDirectoryName(directory)!), group, []));
            }
            catch (CgroupException exception) when (exception.Reason is CgroupErrorReason.Gone or CgroupErrorReason.ControllerUnavailable)
            {
                // Gone, or hidden by another file system.
            }
        }

        return parts.Count == 0 ? null : new(System.IO.Path.GetFileName(directories[0]), CgroupSystem.Current, [.. parts]);
    }

    /// <summary>The same, with the controllers that its directories have: it can be read, and limited anew.</summary>
    internal static Cgroup? Open(IReadOnlyList<string> directories)
    {
        CgroupSystem system = CgroupSystem.Current;
        return Find(directories) is not { } found ? null : new(found.Name, system, [.. found._parts.Select(part => new GroupPart(part.Parent, part.Group, ControllersIn(part.Group, system)))]);
    }

    private static ImmutableArray<CgroupController> ControllersIn(GroupDirectory group, CgroupSystem system)
    {
        string[] given = (group.Version == CgroupVersion.V2 ? group.TryRead("cgroup.controllers") ?? "" : "").Split([' ', '\n']);
        return [.. system.Controllers.Where(support => support.Version == group.Version && support.MountPoint is { } mount && group.Path.StartsWith(mount + "/", StringComparison.Ordinal)
            && (group.Version == CgroupVersion.V1 || ControllerName.V2(support.Controller) is not { } name || given.Contains(name))).Select(support => support.Controller)];
    }

    /// <summary>Removes it where nobody is in it; false where somebody is.</summary>
    internal bool TryRemove()
    {
        bool removed = true;
        TakeEvents();
        foreach (GroupPart part in _parts) removed &= GroupRemoval.TryRemove(part.Parent, Name) == 0;
        if (removed) Close();
        return removed;
    }

    /// <summary>Moves a process into the group, with all of its threads; what it has made before stays where it is.</summary>
    /// <param name="processId">Zero for the calling process.</param>
    /// <exception cref="CgroupException">There is no such process, or it may not be moved, or the limits leave it no room.</exception>
    public void Add(int processId)
    {
        foreach (GroupPart part in _parts)
        {
            nint result = part.Group.TryWrite("cgroup.procs", LimitText.Of(processId));
            if (result == 0) continue;
            LinuxException cause = Syscall.Failure(result, "write", $"{part.Group.Path}/cgroup.procs, \"{processId}\"");
            throw cause.Errno switch
            {
                Errno.ESRCH => new CgroupException(CgroupErrorReason.Failed, $"There is no process {processId} to put into '{part.Group.Path}'", cause),
                Errno.ENOSPC => new CgroupException(CgroupErrorReason.Failed, $"Cannot put process {processId} into '{part.Group.Path}'", cause, "a group with processes needs a processor and a memory node: cpuset.cpus, cpuset.mems"),
                _ => GroupFailures.Of(cause, $"put process {processId} into '{part.Group.Path}'"),
            };
        }
    }

    /// <summary>Lets go of the descriptors; the group stays. Its processes are not touched.</summary>
    public void Close()
    {
        CgroupEventWatch[] watches;
        lock (_opening)
        {
            _reader?.Dispose();
            watches = [.. _watches];
        }

        foreach (CgroupEventWatch watch in watches) watch.Dispose();
        foreach (GroupPart part in _parts) part.Dispose();
    }

    /// <summary>Kills what is in the group and removes it with all groups beneath it. More than once does nothing.</summary>
    /// <exception cref="CgroupException">It cannot be removed.</exception>
    public async ValueTask DisposeAsync()
    {
        if (_parts.All(part => part.IsDisposed)) return;
        try
        {
            // Nobody is in it as a rule: who was has ended. The kernel removes no group that somebody is in.
            if (TryRemove()) return;
            await KillAsync().ConfigureAwait(false);
            TakeEvents();
            foreach (GroupPart part in _parts) await GroupRemoval.RemoveAsync(part.Parent, Name, TimeSpan.FromSeconds(10), CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            Close();
        }
    }

    private static void Require(CgroupSystem system, CgroupController controller)
    {
        if (system[controller].Absence is { } absence)
            throw new CgroupException(CgroupErrorReason.ControllerUnavailable, $"The controller {ControllerName.V1(controller)} is needed", new InvalidOperationException(absence), "mount it (CgroupSystem.MountPrivately, ContainerBuilder.WithCgroupMounts), or make the limit a preferred one");
    }

    /// <summary>Those that must be there, and of those that are preferred the ones that are.</summary>
    private static CgroupController[] ControllersOf(ResourceLimits limits, CgroupOptions options)
    {
        CgroupController[] required = [.. LimitTranslation.ControllersOf(limits, options.System).Union(options.Controllers)];
        foreach (CgroupController controller in required) Require(options.System, controller);
        return [.. required.Union(LimitTranslation.ControllersOf(options.Preferred, options.System).Where(controller => options.System.PlaceOf(controller) is not null))];
    }

    private static IEnumerable<IGrouping<CgroupPlace, CgroupController>> Hierarchies(CgroupController[] controllers, CgroupOptions options) =>
        controllers.GroupBy(controller => options.System.PlaceOf(controller)!, HierarchyComparer.Instance);

    private static ImmutableArray<GroupPart> Make(string name, CgroupController[] controllers, CgroupOptions options)
    {
        List<(GroupDirectory Parent, ImmutableArray<CgroupController> Controllers)> parents = [];
        List<GroupPart> parts = [];
        try
        {
            foreach (IGrouping<CgroupPlace, CgroupController> hierarchy in Hierarchies(controllers, options))
                parents.Add((options.System.Parents.Open(hierarchy.Key, options.Parent, [.. hierarchy]), [.. hierarchy]));
            options.BeforeMaking?.Invoke([.. parents.Select(parent => $"{parent.Parent.Path}/{name}")]);
            foreach ((GroupDirectory parent, ImmutableArray<CgroupController> own) in parents)
            {
                GroupDirectory group = parent.TryMake(name) ?? throw new CgroupException(CgroupErrorReason.Busy, $"There is a control group '{parent.Path}/{name}' already", remedy: "choose another name");
                parts.Add(new(parent, group, own));
            }

            return [.. parts];
        }
        catch
        {
            Remove(parts, name);
            foreach ((GroupDirectory parent, _) in parents.Skip(parts.Count)) parent.Dispose();
            throw;
        }
    }

    private static void Remove(IEnumerable<GroupPart> parts, string name)
    {
        foreach (GroupPart part in parts)
        {
            GroupRemoval.TryRemove(part.Parent, name);
            part.Dispose();
        }
    }

    private void Discard() => Remove(_parts, Name);

    private GroupDirectory? Of(CgroupController controller) => _parts.FirstOrDefault(part => part.Controllers.Contains(controller))?.Group;
}
