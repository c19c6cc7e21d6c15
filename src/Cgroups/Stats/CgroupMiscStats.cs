namespace Isolation.Cgroups;

/// <summary>
/// What a control group and those beneath it use of one scalar resource. The files are the same on v1 and v2 (Linux 5.13).
/// Kernel documents: admin-guide/cgroup-v1/misc.rst, admin-guide/cgroup-v2.rst ("Misc").
/// </summary>
public struct CgroupMiscStats
{
    internal Figure UsageFigure, PeakFigure, LimitFigure;

    internal CgroupMiscStats(string name) => Name = name;

    /// <summary>The kernel's name of the resource, for example <c>sev</c>.</summary>
    public string Name { get; }

    /// <summary>In the resource's own unit. <c>misc.current</c>.</summary>
    public readonly long? Usage => UsageFigure.Value;

    /// <summary>The greatest <see cref="Usage"/>. <c>misc.peak</c> (Linux 6.11).</summary>
    public readonly long? Peak => PeakFigure.Value;

    /// <summary><c>misc.max</c>; <see cref="ResourceLimits.Unlimited"/> where none is set.</summary>
    public readonly long? Limit => LimitFigure.Value;
}
