namespace Isolation.Cgroups;

/// <summary>
/// Memory of a control group and those beneath it, in bytes unless something else is said.
/// Kernel documents: admin-guide/cgroup-v1/memory.rst, admin-guide/cgroup-v2.rst ("Memory").
/// </summary>
/// <remarks>What v1 counts in <c>memory.stat</c> is taken from the <c>total_…</c> lines, which include the groups beneath, as all of v2 does.</remarks>
public struct CgroupMemoryStats
{
    internal Figure UsageFigure, PeakFigure, LimitFigure;
    internal Figure SwapUsageFigure, SwapPeakFigure, SwapLimitFigure, SwapLimitHitsFigure, SwapFailuresFigure;
    internal Figure MemorySwapUsageFigure, MemorySwapPeakFigure, MemorySwapLimitFigure, MemorySwapLimitHitsFigure;
    internal Figure AnonymousFigure, FileCacheFigure, InactiveFileFigure, SharedMemoryFigure, KernelFigure;
    internal Figure PageFaultsFigure, MajorPageFaultsFigure;
    internal Figure LimitHitsFigure, LowEventsFigure, HighEventsFigure, OomEventsFigure, OomKillsFigure, OomGroupKillsFigure, UnderOomFigure;

    /// <summary>In use, file cache included. v1 <c>memory.usage_in_bytes</c>, v2 <c>memory.current</c>.</summary>
    public readonly long? Usage => UsageFigure.Value;

    /// <summary>The greatest <see cref="Usage"/>. v1 <c>memory.max_usage_in_bytes</c>, v2 <c>memory.peak</c> (Linux 5.19).</summary>
    public readonly long? Peak => PeakFigure.Value;

    /// <summary>v1 <c>memory.limit_in_bytes</c>, v2 <c>memory.max</c>; <see cref="ResourceLimits.Unlimited"/> where none is set. One of a group above may be lower.</summary>
    public readonly long? Limit => LimitFigure.Value;

    /// <summary>
    /// How often the limit was met, and pages had to be reclaimed or given up for it. v1 <c>memory.failcnt</c>;
    /// v2 <c>memory.events</c>, <c>max</c>, which counts those of the groups beneath too.
    /// </summary>
    public readonly long? LimitHits => LimitHitsFigure.Value;

    /// <summary>Swap in use. v1 <c>memory.stat</c>, <c>total_swap</c>, where swap is accounted; v2 <c>memory.swap.current</c>.</summary>
    public readonly long? SwapUsage => SwapUsageFigure.Value;

    /// <summary>The greatest <see cref="SwapUsage"/>. v2 <c>memory.swap.peak</c> (Linux 6.5); v1 has none.</summary>
    public readonly long? SwapPeak => SwapPeakFigure.Value;

    /// <summary>Of swap alone. v2 <c>memory.swap.max</c>; v1 has none, see <see cref="MemorySwapLimit"/>.</summary>
    public readonly long? SwapLimit => SwapLimitFigure.Value;

    /// <summary>How often swap was refused because of <see cref="SwapLimit"/>. v2 <c>memory.swap.events</c>, <c>max</c>; v1 has none.</summary>
    public readonly long? SwapLimitHits => SwapLimitHitsFigure.Value;

    /// <summary>How often swap was refused, by the limit or because the machine had none left. v2 <c>memory.swap.events</c>, <c>fail</c>; v1 has none.</summary>
    public readonly long? SwapFailures => SwapFailuresFigure.Value;

    /// <summary>Memory and swap together. v1 <c>memory.memsw.usage_in_bytes</c>; v2 does not add them.</summary>
    public readonly long? MemorySwapUsage => MemorySwapUsageFigure.Value;

    /// <summary>The greatest <see cref="MemorySwapUsage"/>. v1 <c>memory.memsw.max_usage_in_bytes</c>; v2 has none.</summary>
    public readonly long? MemorySwapPeak => MemorySwapPeakFigure.Value;

    /// <summary>Of memory and swap together. v1 <c>memory.memsw.limit_in_bytes</c>; v2 has none, see <see cref="SwapLimit"/>.</summary>
    public readonly long? MemorySwapLimit => MemorySwapLimitFigure.Value;

    /// <summary>How often <see cref="MemorySwapLimit"/> was met. v1 <c>memory.memsw.failcnt</c>; v2 has none.</summary>
    public readonly long? MemorySwapLimitHits => MemorySwapLimitHitsFigure.Value;

    /// <summary>Pages that belong to no file. v1 <c>memory.stat</c>, <c>total_rss</c> (swap cache included); v2 <c>anon</c>.</summary>
    public readonly long? Anonymous => AnonymousFigure.Value;

    /// <summary>Pages of files, those of tmpfs and shared memory included. v1 <c>memory.stat</c>, <c>total_cache</c>; v2 <c>file</c>.</summary>
    public readonly long? FileCache => FileCacheFigure.Value;

    /// <summary>The part of the file cache that would be reclaimed first. v1 <c>memory.stat</c>, <c>total_inactive_file</c>; v2 <c>inactive_file</c>.</summary>
    public readonly long? InactiveFile => InactiveFileFigure.Value;

    /// <summary>tmpfs, shared memory and shared anonymous mappings. v1 <c>memory.stat</c>, <c>total_shmem</c> (Linux 4.12); v2 <c>shmem</c>.</summary>
    public readonly long? SharedMemory => SharedMemoryFigure.Value;

    /// <summary>What the kernel holds for the group: stacks, page tables, slab. v1 <c>memory.kmem.usage_in_bytes</c>; v2 <c>memory.stat</c>, <c>kernel</c> (Linux 5.18).</summary>
    public readonly long? Kernel => KernelFigure.Value;

    /// <summary><see cref="Usage"/> without <see cref="InactiveFile"/>, never below 0: what cannot easily be reclaimed, as Kubernetes counts it.</summary>
    public readonly long? WorkingSet => Usage - InactiveFile is { } bytes ? Math.Max(0, bytes) : null;

    /// <summary>How many page faults, major ones included. v1 <c>memory.stat</c>, <c>total_pgfault</c>; v2 <c>pgfault</c>.</summary>
    public readonly long? PageFaults => PageFaultsFigure.Value;

    /// <summary>How many of them waited for a device. v1 <c>memory.stat</c>, <c>total_pgmajfault</c>; v2 <c>pgmajfault</c>.</summary>
    public readonly long? MajorPageFaults => MajorPageFaultsFigure.Value;

    /// <summary>How often pages were reclaimed though the group used less than <c>memory.low</c>. v2 <c>memory.events</c>, <c>low</c>; v1 has none.</summary>
    public readonly long? LowEvents => LowEventsFigure.Value;

    /// <summary>How often processes were slowed down because of <c>memory.high</c>. v2 <c>memory.events</c>, <c>high</c>; v1 has none.</summary>
    public readonly long? HighEvents => HighEventsFigure.Value;

    /// <summary>How often the limit was met and nothing could be reclaimed; no process need have been killed. v2 <c>memory.events</c>, <c>oom</c>; v1 has none.</summary>
    public readonly long? OomEvents => OomEventsFigure.Value;

    /// <summary>
    /// How many processes were killed for want of memory, whichever limit caused it. v1 <c>memory.oom_control</c>,
    /// <c>oom_kill</c> (Linux 4.13), of this group alone; v2 <c>memory.events</c>, <c>oom_kill</c>.
    /// </summary>
    public readonly long? OomKills => OomKillsFigure.Value;

    /// <summary>How often the whole group was killed (<c>memory.oom.group</c>). v2 <c>memory.events</c>, <c>oom_group_kill</c> (Linux 5.17); v1 has none.</summary>
    public readonly long? OomGroupKills => OomGroupKillsFigure.Value;

    /// <summary>Whether processes stand still for want of memory, because the killer is turned off. v1 <c>memory.oom_control</c>, <c>under_oom</c>; v2 has none.</summary>
    public readonly bool? UnderOom => UnderOomFigure.Value is { } value ? value != 0 : null;

    /// <summary>All of <c>memory.stat</c>, where it was asked for (<see cref="CgroupStatsDetails.MemoryStat"/>).</summary>
    public CgroupMemoryStat? Stat { readonly get; internal set; }
}
