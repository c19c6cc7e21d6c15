using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Isolation.Cgroups;

/// <summary>
/// What the processes of a control group, and of the groups beneath it, use and have used, as the kernel told at one time.
/// </summary>
/// <remarks>
/// Every figure is <see langword="null"/> where this kernel, this version of control groups or this group's set of
/// controllers does not have it: a 0 is always the kernel's own. A limit that is not set is
/// <see cref="ResourceLimits.Unlimited"/>: v2's <c>max</c>, v1's greatest number of pages.
/// Figures come from several files, which the kernel writes one after another: two that belong together, such as
/// <see cref="CgroupCpuStats.Usage"/> and <see cref="CgroupCpuStats.User"/> on v1, may be some microseconds apart.
/// Immutable, and safe from any thread.
/// </remarks>
public sealed class CgroupStats
{
    private readonly CgroupDeviceIo[]? _io;
    private readonly CgroupHugetlbStats[]? _hugetlb;
    private readonly CgroupRdmaStats[]? _rdma;
    private readonly CgroupMiscStats[]? _misc;
    private readonly long _timestamp;

    internal CgroupStats(StatsDraft draft)
    {
        ReadAt = draft.ReadAt;
        _timestamp = draft.Timestamp;
        Cpu = draft.Cpu;
        Memory = draft.Memory;
        Pids = draft.Pids;
        Pressure = draft.Pressure;
        _io = draft.Io.ToArray();
        _hugetlb = draft.Hugetlb.ToArray();
        _rdma = draft.Rdma.ToArray();
        _misc = draft.Misc.ToArray();
    }

    /// <summary>When the kernel was asked, by the system's clock, in UTC.</summary>
    public DateTimeOffset ReadAt { get; }

    /// <summary>Processor time. v1 <c>cpuacct</c> and <c>cpu</c>; v2 <c>cpu.stat</c>, which every group has.</summary>
    public CgroupCpuStats Cpu { get; }

    /// <summary>Memory and swap. v1 and v2 <c>memory</c>.</summary>
    public CgroupMemoryStats Memory { get; }

    /// <summary>Processes and threads. v1 and v2 <c>pids</c>.</summary>
    public CgroupPidsStats Pids { get; }

    /// <summary>How much time was lost waiting for processors, memory and devices. v2 only, in every group.</summary>
    public CgroupPressureStats Pressure { get; }

    /// <summary>
    /// Block devices, in the kernel's order; empty where the group used none. v1 <c>blkio</c>, v2 <c>io</c>.
    /// <see langword="null"/> without that controller.
    /// </summary>
    public ImmutableArray<CgroupDeviceIo>? Io => Whole(_io);

    /// <summary>Huge pages, an entry for each size that the machine has. v1 and v2 <c>hugetlb</c>; <see langword="null"/> without it.</summary>
    public ImmutableArray<CgroupHugetlbStats>? Hugetlb => Whole(_hugetlb);

    /// <summary>RDMA devices. v1 and v2 <c>rdma</c> (Linux 4.11); <see langword="null"/> without it.</summary>
    public ImmutableArray<CgroupRdmaStats>? Rdma => Whole(_rdma);

    /// <summary>Scalar resources of the machine that have a capacity here. v1 and v2 <c>misc</c> (Linux 5.13); <see langword="null"/> without it.</summary>
    public ImmutableArray<CgroupMiscStats>? Misc => Whole(_misc);

    /// <summary>The time between an earlier reading and this one, by a clock that nobody sets.</summary>
    /// <exception cref="ArgumentNullException">There is no earlier reading.</exception>
    public TimeSpan ElapsedSince(CgroupStats earlier)
    {
        ArgumentNullException.ThrowIfNull(earlier);
        return Stopwatch.GetElapsedTime(earlier._timestamp, _timestamp);
    }

    /// <summary>
    /// How many processors the group used on average since an earlier reading of it: 1.5 is one and a half for all of the
    /// time. <see langword="null"/> where processor time is not counted, or no time has passed.
    /// </summary>
    /// <exception cref="ArgumentNullException">There is no earlier reading.</exception>
    public double? ProcessorsSince(CgroupStats earlier)
    {
        TimeSpan elapsed = ElapsedSince(earlier);
        return elapsed > TimeSpan.Zero && Cpu.Usage - earlier.Cpu.Usage is { } used ? Math.Max(0, used / elapsed) : null;
    }

    private static ImmutableArray<T>? Whole<T>(T[]? array) => array is null ? null : ImmutableCollectionsMarshal.AsImmutableArray(array);
}
