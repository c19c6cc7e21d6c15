namespace Isolation.Cgroups;

/// <summary>What a reading brings along beside the figures that it always has; each costs time or memory.</summary>
[Flags]
public enum CgroupStatsDetails
{
    /// <summary>Nothing more.</summary>
    None = 0,

    /// <summary>All of <c>memory.stat</c> by name, in <see cref="CgroupMemoryStats.Stat"/>: a copy of some two kilobytes.</summary>
    MemoryStat = 1,

    /// <summary>Processor time by processor, in <see cref="CgroupCpuStats.PerProcessor"/>: one more file, on v1 only.</summary>
    PerProcessor = 2,
}
