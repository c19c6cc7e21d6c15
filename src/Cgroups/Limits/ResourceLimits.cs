using System.Collections.Immutable;

namespace Isolation.Cgroups;

/// <summary>
/// Limits on everything that the kernel can limit, in the field's units, for v1 and v2 alike. What is null is not limited,
/// and left as it is by an update. Immutable and safe to share.
/// </summary>
/// <remarks>Sources: cgroups(7); the kernel's Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.</remarks>
public sealed partial record ResourceLimits
{
    /// <summary>In place of a number: no limit. More than any other, so that a limit that was read compares as one would expect. What the kernel writes as <c>max</c>, and as -1.</summary>
    public const long Unlimited = long.MaxValue;

    /// <summary>Nothing is limited.</summary>
    public static ResourceLimits None { get; } = new();

    /// <summary>Memory in bytes, page cache included. v1 <c>memory.limit_in_bytes</c>, v2 <c>memory.max</c>. Who needs more is killed.</summary>
    public long? Memory { get; init; }

    /// <summary>Memory and swap together, in bytes; at least <see cref="Memory"/>, and the same for no swap at all. v1 <c>memory.memsw.limit_in_bytes</c>; v2 <c>memory.swap.max</c>, which is without memory, and stays what it is where <see cref="Memory"/> alone is changed later.</summary>
    public long? MemoryAndSwap { get; init; }

    /// <summary>Bytes that are left to the group when the machine runs short, as far as possible. v1 <c>memory.soft_limit_in_bytes</c>, v2 <c>memory.low</c>.</summary>
    public long? MemoryReservation { get; init; }

    /// <summary>Bytes that are never taken from the group. v2 <c>memory.min</c>.</summary>
    public long? MemoryGuarantee { get; init; }

    /// <summary>Bytes above which the group is slowed down and reclaimed from, and not killed. v2 <c>memory.high</c>.</summary>
    public long? MemoryHigh { get; init; }

    /// <summary>Bytes of swap in compressed memory. v2 <c>memory.zswap.max</c> (Linux 5.19).</summary>
    public long? ZswapBytes { get; init; }

    /// <summary>Bytes of TCP buffers. v1 <c>memory.kmem.tcp.limit_in_bytes</c>; v2 counts them as memory.</summary>
    public long? KernelTcpMemory { get; init; }

    /// <summary>0 to 100: how willingly the kernel swaps. v1 <c>memory.swappiness</c>.</summary>
    public int? MemorySwappiness { get; init; }

    /// <summary>Who needs more memory than there is waits for it, and is not killed. v1 <c>memory.oom_control</c>.</summary>
    public bool? OomKillDisabled { get; init; }

    /// <summary>Out of memory, all of the group are killed and not one. v2 <c>memory.oom.group</c> (Linux 4.19).</summary>
    public bool? OomKillsAll { get; init; }

    /// <summary>Processors' worth of time: 0.5 is half of one. v1 <c>cpu.cfs_quota_us</c>, v2 <c>cpu.max</c>; <see cref="Unlimited"/> takes it away.</summary>
    public double? Cpus { get; init; }

    /// <summary>The time in which <see cref="Cpus"/> is used up and given again, 1 ms to 1 s. If not said, that in force, which is 100 ms to begin with; longer where <see cref="Cpus"/> would be less than a millisecond of it.</summary>
    public TimeSpan? CpuPeriod { get; init; }

    /// <summary>What may be saved up for a burst. v1 <c>cpu.cfs_burst_us</c>, v2 <c>cpu.max.burst</c> (both Linux 5.14).</summary>
    public TimeSpan? CpuBurst { get; init; }

    /// <summary>A weight against other groups where processors are short, 2 to 262144; a group without has 1024. v1 <c>cpu.shares</c>, v2 <c>cpu.weight</c> by the standard conversion.</summary>
    public int? CpuShares { get; init; }

    /// <summary>The same, 1 to 10000; a group without has 100. v2 <c>cpu.weight</c>, v1 <c>cpu.shares</c> by the standard conversion.</summary>
    public int? CpuWeight { get; init; }

    /// <summary>Runs only where nobody else wants to. v1 and v2 <c>cpu.idle</c> (Linux 5.15).</summary>
    public bool? CpuIdle { get; init; }

    /// <summary>Time for real-time scheduling in each <see cref="RealtimePeriod"/>. v1 <c>cpu.rt_runtime_us</c>, of kernels with CONFIG_RT_GROUP_SCHED.</summary>
    public TimeSpan? RealtimeRuntime { get; init; }

    /// <summary>v1 <c>cpu.rt_period_us</c>.</summary>
    public TimeSpan? RealtimePeriod { get; init; }

    /// <summary>The least performance that is asked of a processor, in percent. v1 and v2 <c>cpu.uclamp.min</c> (Linux 5.4, CONFIG_UCLAMP_TASK_GROUP).</summary>
    public double? UtilizationAtLeast { get; init; }

    /// <summary>The most performance that is asked of a processor, in percent. v1 and v2 <c>cpu.uclamp.max</c>.</summary>
    public double? UtilizationAtMost { get; init; }

    /// <summary>Which processors, such as <c>0-3,8</c>. v1 and v2 <c>cpuset.cpus</c>.</summary>
    public string? CpusetCpus { get; init; }

    /// <summary>Which memory nodes. v1 and v2 <c>cpuset.mems</c>.</summary>
    public string? CpusetMems { get; init; }

    /// <summary>Whether the processors are the group's alone. v2 <c>cpuset.cpus.partition</c>; v1 <c>cpuset.cpu_exclusive</c> and <c>cpuset.sched_load_balance</c> say no such thing.</summary>
    public CpusetPartition? CpusetPartition { get; init; }

    /// <summary>How many processes and threads. v1 and v2 <c>pids.max</c>.</summary>
    public long? Pids { get; init; }

    /// <summary>A weight against other groups for block devices, 1 to 10000; a group without has 100. v2 <c>io.weight</c>, and <c>io.bfq.weight</c> for devices with the scheduler bfq; v1 <c>blkio.bfq.weight</c> (1 to 1000). While bfq has <c>low_latency</c>, programs that have just begun come before all weights.</summary>
    public int? IoWeight { get; init; }

    /// <summary>Limits by block device.</summary>
    public ImmutableArray<IoDeviceLimit> IoDevices { get; init; } = [];

    /// <summary>Limits by size of huge pages. v1 <c>hugetlb.*.limit_in_bytes</c>, v2 <c>hugetlb.*.max</c>.</summary>
    public ImmutableArray<HugetlbLimit> Hugetlb { get; init; } = [];

    /// <summary>Limits by RDMA device. v1 and v2 <c>rdma.max</c>.</summary>
    public ImmutableArray<RdmaLimit> Rdma { get; init; } = [];

    /// <summary>Limits by scalar resource. v1 and v2 <c>misc.max</c>.</summary>
    public ImmutableArray<MiscLimit> Misc { get; init; } = [];

    /// <summary>Which device files may be used: of the rules that speak of a use the last holds, and without one it is denied. Empty: any. v1 <c>devices.allow</c> and <c>devices.deny</c>; v2 a program of the kernel's (BPF_PROG_TYPE_CGROUP_DEVICE, Linux 4.15).</summary>
    public ImmutableArray<DeviceRule> Devices { get; init; } = [];

    /// <summary>A mark on what is sent, for tc-cgroup(8) and iptables. v1 <c>net_cls.classid</c>; v2 has none: match the group's path (xt_cgroup, nft socket cgroupv2).</summary>
    public uint? NetClass { get; init; }

    /// <summary>Priorities by network interface. v1 <c>net_prio.ifpriomap</c>.</summary>
    public ImmutableArray<NetPriorityLimit> NetPriorities { get; init; } = [];

    /// <summary>Files of v2 and what is written to them, beside the above and after it: what the OCI runtime-spec calls <c>unified</c>.</summary>
    public ImmutableSortedDictionary<string, string> Unified { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}
