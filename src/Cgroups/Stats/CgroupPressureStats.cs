namespace Isolation.Cgroups;

/// <summary>
/// Time lost waiting (pressure stall information), by what was waited for. Files of v2 groups, in any of them, whichever
/// controllers are enabled; v1 has none. Kernel document: accounting/psi.rst.
/// </summary>
/// <remarks>
/// All are <see langword="null"/> where the kernel was built or started without (<c>psi=0</c>), or where the accounting
/// is turned off for the group (<c>cgroup.pressure</c>, Linux 6.1).
/// </remarks>
public struct CgroupPressureStats
{
    internal CgroupPressure CpuPressure, MemoryPressure, IoPressure, IrqPressure;

    /// <summary>Waiting for a processor. <c>cpu.pressure</c>; <c>full</c> from Linux 5.13 on.</summary>
    public readonly CgroupPressure Cpu => CpuPressure;

    /// <summary>Waiting for memory. <c>memory.pressure</c>.</summary>
    public readonly CgroupPressure Memory => MemoryPressure;

    /// <summary>Waiting for block devices. <c>io.pressure</c>.</summary>
    public readonly CgroupPressure Io => IoPressure;

    /// <summary>Waiting for interrupts to be served. <c>irq.pressure</c> (Linux 6.1); <c>full</c> only.</summary>
    public readonly CgroupPressure Irq => IrqPressure;
}

/// <summary>Time lost waiting for one resource.</summary>
public struct CgroupPressure
{
    internal CgroupStallTime SomeTime, FullTime;

    /// <summary>Time in which at least one process waited.</summary>
    public readonly CgroupStallTime? Some => SomeTime.IsKnown ? SomeTime : null;

    /// <summary>Time in which all processes that had something to do waited at once.</summary>
    public readonly CgroupStallTime? Full => FullTime.IsKnown ? FullTime : null;
}

/// <summary>How much time was lost.</summary>
public struct CgroupStallTime
{
    internal Figure TotalFigure;
    internal ushort Hundredths10, Hundredths60, Hundredths300; // the kernel prints two digits after the point

    /// <summary>The share of the last 10 seconds, in percent: 0 to 100. <c>avg10</c>.</summary>
    public readonly double Average10 => Hundredths10 / 100.0;

    /// <summary>The share of the last minute, in percent. <c>avg60</c>.</summary>
    public readonly double Average60 => Hundredths60 / 100.0;

    /// <summary>The share of the last five minutes, in percent. <c>avg300</c>.</summary>
    public readonly double Average300 => Hundredths300 / 100.0;

    /// <summary>All of it since the group was made. <c>total</c>, in microseconds there.</summary>
    public readonly TimeSpan Total => TotalFigure.Time ?? TimeSpan.Zero;

    internal readonly bool IsKnown => TotalFigure.Value is not null;
}
