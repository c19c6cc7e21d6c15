namespace Isolation.Cgroups;

/// <summary>
/// Processes and threads of a control group and those beneath it. The files are the same on v1 and v2.
/// Kernel documents: admin-guide/cgroup-v1/pids.rst, admin-guide/cgroup-v2.rst ("PID").
/// </summary>
public struct CgroupPidsStats
{
    internal Figure CurrentFigure, PeakFigure, LimitFigure, LimitHitsFigure;

    /// <summary>How many there are, threads and zombies included. <c>pids.current</c>.</summary>
    public readonly long? Current => CurrentFigure.Value;

    /// <summary>The greatest number there ever was. <c>pids.peak</c> (Linux 6.1).</summary>
    public readonly long? Peak => PeakFigure.Value;

    /// <summary><c>pids.max</c>; <see cref="ResourceLimits.Unlimited"/> where none is set. One of a group above may be lower.</summary>
    public readonly long? Limit => LimitFigure.Value;

    /// <summary>How often a fork was refused. <c>pids.events</c>, <c>max</c>; whether by this group's limit or also by one beneath depends on the kernel.</summary>
    public readonly long? LimitHits => LimitHitsFigure.Value;
}
