namespace Isolation.Cgroups;

/// <summary>Whether a cpuset keeps its processors for itself (cgroup-v2, <c>cpuset.cpus.partition</c>).</summary>
public enum CpusetPartition
{
    /// <summary>It shares them.</summary>
    Member,

    /// <summary>No other group's processes are scheduled there.</summary>
    Root,

    /// <summary>And the scheduler does not balance between them (Linux 6.1).</summary>
    Isolated,
}
