using Isolation.Cgroups;
using Isolation.Linux;

namespace Isolation;

/// <summary>The control group of one container: recorded, made before it, and removed after it.</summary>
internal sealed class ContainerGroup
{
    private const string Prefix = "isolation-";
    private static readonly TimeSpan FreezerPatience = TimeSpan.FromSeconds(10);
    private readonly Cgroup _group;
    private readonly IDisposable? _published;

    private ContainerGroup(Cgroup group, string? id) => (_group, _published) = (group, id is null ? null : group.Publish(id));

    /// <summary>Whether somebody else has made it, and removes it.</summary>
    private bool IsGiven => _published is null;

    internal Cgroup Group => _group;

    internal static bool IsName(string name) => name.StartsWith(Prefix, StringComparison.Ordinal) && name.Length > Prefix.Length;

    /// <summary>Where the container's first process is born in; null where its group is in hierarchies of v1 alone.</summary>
    internal GroupDirectory? Birthplace => _group.Parts.FirstOrDefault(part => part.Group.Version == CgroupVersion.V2)?.Group;

    /// <summary>In how many hierarchies such a container, or program, must put itself into a group: it is given a descriptor for each.</summary>
    internal static int HierarchiesOf(ContainerSpec spec)
    {
        if (spec.GivenGroup is { } given) return given.Parts.Count(part => part.Group.Version == CgroupVersion.V1);
        if (spec.EntersContainer is not null) return spec.EnteredGroup(null)?._group.Parts.Length ?? 0;
        return spec.HasGroup ? Explained(() => Cgroup.HierarchiesOf(spec.Limits, OptionsOf(spec), CgroupVersion.V1)) : 0;
    }

    /// <exception cref="ContainerException">The group cannot be made; nothing is left of it.</exception>
    internal static ContainerGroup? Make(ContainerSpec spec, string id, RecordFile? record)
    {
        if (spec.GivenGroup is { } given) return new(given, null);
        if (!spec.HasGroup) return null;
        return new(Explained(() =>
        {
            Cgroup group = Cgroup.Create(Prefix + id, spec.Limits, OptionsOf(spec) with { BeforeMaking = directories => record?.AddGroup(directories) });
            try
            {
                return spec.CgroupParent is { } parent && group.IsFrozen
                    ? throw new CgroupException(CgroupErrorReason.Busy, $"The control group '{parent}' is frozen, and what is put beneath it stands still", remedy: "thaw it (cgroup.freeze, freezer.state), or give another parent")
                    : group;
            }
            catch
            {
                group.TryRemove();
                throw;
            }
        }), id);
    }

    /// <summary>Where the child writes itself in, one for each hierarchy but the one of v2 where it is born in that. The kernel looks at who opened them, and not at who writes (Linux 5.16, and earlier by its stable releases).</summary>
    /// <param name="first">The container's first process, of a further program; null of one that is born inside.</param>
    /// <exception cref="ContainerException">The container has ended, and its group with it.</exception>
    /// <exception cref="LinuxException">No descriptor is left.</exception>
    internal IEnumerable<FileDescriptor> OpenMembership(int? first) =>
        _group.Parts.Where(part => first is not null || part.Group.Version == CgroupVersion.V1).Select(part => OpenMembership(part.Group, first));

    /// <summary>
    /// The directory that a further program enters: that of the container's group, or where that takes no processes, because the container has divided it (cgroup-v2.rst, "No Internal
    /// Process Constraint"), that of the group its first process is in.
    /// </summary>
    internal static string EnteredDirectory(string group, int first)
    {
        if (SmallFile.ReadText(Path.Join(group, "cgroup.subtree_control")).AsSpan().Trim().IsEmpty || CgroupSystem.Current.Unified is not { } place) return group;
        string text = SmallFile.ReadText(FormattableString.Invariant($"/proc/{first}/cgroup"));
        if (text.Split('\n').FirstOrDefault(line => line.StartsWith("0::", StringComparison.Ordinal)) is not { } line) return group;
        string directory = (place with { OwnPath = line[3..] }).OwnDirectory;
        return directory.StartsWith(group + "/", StringComparison.Ordinal) ? directory : group;
    }

    private static FileDescriptor OpenMembership(GroupDirectory group, int? first)
    {
        try
        {
            if (group.Version == CgroupVersion.V2 && first is { } process && EnteredDirectory(group.Path, process) is var entered && entered != group.Path)
                return FileDescriptor.Open(entered + "/cgroup.procs", Abi.O_WRONLY);
            // A process of one thread that moves itself: by its only thread it needs no lock on all forks of the machine, for which the kernel waits 10 ms and more (Linux 5.18).
            return DirectoryFiles.Open(group.Directory, group.Version == CgroupVersion.V1 ? "tasks" : "cgroup.procs", Abi.O_WRONLY);
        }
        catch (Exception exception) when (exception is ObjectDisposedException or LinuxException { Errno: Errno.ENOENT or Errno.ENODEV })
        {
            throw new ContainerException(ContainerErrorReason.NamespaceNotFound, $"Cannot enter the control group '{group.Path}'", exception, null);
        }
    }

    /// <summary>Whether it can be paused as a whole, in the kernel.</summary>
    internal bool CanFreeze => _group.CanFreeze;

    /// <summary>Whether it, or a group above it, is frozen: by whomever. False where it has ended.</summary>
    internal bool IsFrozen => Look(static group => group.IsFrozen);

    /// <summary>How many of its processes the kernel has killed for want of memory; null where memory is not counted, or it has ended.</summary>
    internal long? ReadOomKills() => Look(static group => group.ReadOomKills());

    private T? Look<T>(Func<Cgroup, T?> look)
    {
        try
        {
            return look(_group);
        }
        catch (Exception exception) when (exception is ObjectDisposedException or LinuxException)
        {
            return default;
        }
    }

    /// <summary>Stops all of it, and waits until all has stopped.</summary>
    /// <param name="isOver">Whether it was killed meanwhile: then it goes on.</param>
    /// <param name="cancellationToken">Ends the wait, and it goes on.</param>
    /// <exception cref="CgroupException">One does not stop, so all go on; or the container has ended, and its group with it.</exception>
    internal Task FreezeAsync(Func<bool> isOver, CancellationToken cancellationToken) => _group.FreezeAsync(FreezerPatience, isOver, cancellationToken);

    /// <summary>Lets all of it go on.</summary>
    /// <exception cref="CgroupException">The container has ended, and its group with it.</exception>
    internal void Thaw() => _group.Thaw();

    /// <summary>After a kill: what is frozen dies only where it is let go (v1).</summary>
    /// <param name="processId">Of a further program, without which the container stays frozen; null for all of it.</param>
    /// <param name="frozenByOthers">Then a further program may be on its way in and stand still in it, of which nobody knows before it goes on: without that the container's first process would wait for it for ever.</param>
    internal void LetDie(int? processId, bool frozenByOthers = false)
    {
        try
        {
            _group.LetDie(processId);
            if (frozenByOthers && _group.IsFrozen) _group.Thaw();
        }
        catch (Exception exception) when (exception is ObjectDisposedException or LinuxException or CgroupException)
        {
            // It has ended, and its group is gone.
        }
    }

    /// <summary>What it used in all, once it has ended; null where that cannot be read any more.</summary>
    internal CgroupStats? ReadTotals()
    {
        if (IsGiven) return null;
        try
        {
            return _group.ReadStats();
        }
        catch (CgroupException)
        {
            return null; // somebody has removed it
        }
    }

    /// <summary>
    /// Removes it at once, where the container has ended and nobody is left in it; else kills who is, and goes on until it
    /// is removed.
    /// </summary>
    /// <returns>Null where it is gone; fails with a <see cref="CgroupException"/> where it is not, ten seconds after all in it were killed.</returns>
    internal Task? Remove()
    {
        if (IsGiven) return null;
        _published!.Dispose();
        if (_group.TryRemove()) return null;
        return RemoveAsync();
    }

    private async Task RemoveAsync()
    {
        await Task.Yield();
        await _group.DisposeAsync().ConfigureAwait(false);
    }

    private static T Explained<T>(Func<T> make)
    {
        try
        {
            return make();
        }
        catch (CgroupException exception)
        {
            ContainerErrorReason reason = exception switch
            {
                { Reason: CgroupErrorReason.NotPermitted } => ContainerErrorReason.LimitForbidden,
                { Errno: { } errno } when LaunchFailures.IsLimit(errno) => ContainerErrorReason.ResourceLimit,
                _ => ContainerErrorReason.LimitRefused,
            };
            throw new ContainerException(reason, "Cannot limit the container", exception, exception.Remedy);
        }
    }

    private static CgroupOptions OptionsOf(ContainerSpec spec) => new()
    {
        System = spec.CgroupMounts.Length == 0 ? CgroupSystem.Current : CgroupSystem.Current.MountPrivately(spec.CgroupMounts),
        Parent = spec.CgroupParent, Driver = spec.CgroupDriver, Preferred = spec.PreferredLimits, Controllers = spec.CgroupControllers,
    };
}
