namespace Isolation.Cgroups;

/// <summary>A part of the kernel that limits or counts one kind of resource (cgroups(7)).</summary>
public enum CgroupController
{
    /// <summary>Processor time: shares and quotas. v1 and v2 <c>cpu</c>.</summary>
    Cpu,

    /// <summary>Processor time used. v1 <c>cpuacct</c>; every v2 group counts it.</summary>
    CpuAccounting,

    /// <summary>Which processors and memory nodes. v1 and v2 <c>cpuset</c>.</summary>
    Cpuset,

    /// <summary>Memory and swap. v1 and v2 <c>memory</c>.</summary>
    Memory,

    /// <summary>Block devices. v1 <c>blkio</c>, v2 <c>io</c>.</summary>
    Io,

    /// <summary>The number of processes. v1 and v2 <c>pids</c>.</summary>
    Pids,

    /// <summary>Which device files may be used. v1 <c>devices</c>; on v2 a program of the kernel's own machine (eBPF).</summary>
    Devices,

    /// <summary>Stops all processes. v1 <c>freezer</c>; every v2 group can be frozen (Linux 5.2).</summary>
    Freezer,

    /// <summary>Huge pages. v1 and v2 <c>hugetlb</c>.</summary>
    Hugetlb,

    /// <summary>Marks network packets. v1 <c>net_cls</c>; nothing on v2.</summary>
    NetClass,

    /// <summary>The priority of network packets by interface. v1 <c>net_prio</c>; nothing on v2.</summary>
    NetPriority,

    /// <summary>Groups for perf_event_open(2). v1 <c>perf_event</c>; every v2 group is one.</summary>
    PerfEvent,

    /// <summary>RDMA handles and objects. v1 and v2 <c>rdma</c>.</summary>
    Rdma,

    /// <summary>Scalar resources of a machine, such as the ids of encrypted guests. v1 and v2 <c>misc</c> (Linux 5.13).</summary>
    Misc,

    /// <summary>
    /// The time that is lost by waiting for a resource. No v1 controller; every v2 group counts it (Linux 5.2, CONFIG_PSI), also in a
    /// hierarchy of v2 that is mounted beside those of v1.
    /// </summary>
    Pressure,
}
