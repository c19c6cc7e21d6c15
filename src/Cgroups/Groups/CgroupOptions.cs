namespace Isolation.Cgroups;

/// <summary>How a control group is made.</summary>
public sealed record CgroupOptions
{
    /// <summary>
    /// The group to make it beneath, in every hierarchy, as <c>/proc/self/cgroup</c> writes it: <c>/tests</c>, or <c>tests</c> for a
    /// group beneath that of this process. It is made where it is missing, and stays. Null: beneath the group of this
    /// process, or where that cannot be, at the root of the hierarchy. With <see cref="CgroupDriver.Systemd"/> it is a
    /// slice, <c>work.slice</c> (systemd.slice(5)), and null the manager's own choice: <c>system.slice</c>, or <c>app.slice</c> of
    /// a user. All groups of a process are in one slice.
    /// </summary>
    public string? Parent { get; init; }

    /// <summary>Who makes it.</summary>
    public CgroupDriver Driver { get; init; }

    /// <summary>Limits that are applied as far as can be; <see cref="Cgroup.Unapplied"/> says which were not and why.</summary>
    public ResourceLimits Preferred { get; init; } = ResourceLimits.None;

    /// <summary>Controllers that are wanted without a limit: for their figures, or for freezing.</summary>
    public IReadOnlyCollection<CgroupController> Controllers { get; init; } = [];

    /// <summary>Told of the directories, before the first is made.</summary>
    internal Action<IReadOnlyList<string>>? BeforeMaking { get; init; }

    /// <summary>Where the hierarchies are.</summary>
    public CgroupSystem System { get; init; } = CgroupSystem.Current;
}

/// <summary>A limit that was preferred and is not in force.</summary>
/// <param name="Limit">Its name in <see cref="ResourceLimits"/>, or the file's.</param>
/// <param name="Reason">Why not.</param>
public sealed record UnappliedLimit(string Limit, string Reason);
