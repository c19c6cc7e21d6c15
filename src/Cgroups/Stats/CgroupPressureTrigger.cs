using System.Globalization;

namespace Isolation.Cgroups;

/// <summary>
/// When the kernel is to say that too much time is lost: so much stalled time within any window of so much
/// (accounting/psi.rst, "Monitoring for pressure thresholds"). v2 groups only. A value, checked when it is made.
/// </summary>
public sealed record CgroupPressureTrigger
{
    private static readonly TimeSpan LeastWindow = TimeSpan.FromMilliseconds(500), GreatestWindow = TimeSpan.FromSeconds(10);

    /// <summary>Describes a trigger; nothing is set up.</summary>
    /// <param name="resource">What is waited for. Interrupts have <see cref="CgroupStall.Full"/> only.</param>
    /// <param name="stall">Whether one process that waits is enough.</param>
    /// <param name="stalled">How much time must be lost within a window: whole microseconds, more than none, at most the window.</param>
    /// <param name="window">
    /// 500 ms to 10 s, whole microseconds. From Linux 6.5 on the kernel takes shorter ones, which older ones refuse. A
    /// caller without CAP_SYS_RESOURCE needs Linux 6.5 (or 6.1.42), and a window of a whole number of 2 s.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">A time is out of its range, or not of whole microseconds, or there is no such resource or stall.</exception>
    /// <exception cref="ArgumentException">Interrupts were asked for together with <see cref="CgroupStall.Some"/>.</exception>
    public CgroupPressureTrigger(CgroupPressureResource resource, CgroupStall stall, TimeSpan stalled, TimeSpan window)
    {
        if (!Enum.IsDefined(resource)) throw new ArgumentOutOfRangeException(nameof(resource), resource, "There is no such resource.");
        if (!Enum.IsDefined(stall)) throw new ArgumentOutOfRangeException(nameof(stall), stall, "There is no such stall.");
        if (window < LeastWindow || window > GreatestWindow) throw new ArgumentOutOfRangeException(nameof(window), window, "The window must be 500 ms to 10 s.");
        if (stalled <= TimeSpan.Zero || stalled > window) throw new ArgumentOutOfRangeException(nameof(stalled), stalled, "The stalled time must be more than none and at most the window.");
        if (!IsWhole(window)) throw new ArgumentOutOfRangeException(nameof(window), window, "The kernel counts whole microseconds.");
        if (!IsWhole(stalled)) throw new ArgumentOutOfRangeException(nameof(stalled), stalled, "The kernel counts whole microseconds.");
        if (resource == CgroupPressureResource.Irq && stall == CgroupStall.Some)
            throw new ArgumentException("Nothing but a full stall is known of interrupts (irq.pressure): ask for CgroupStall.Full.", nameof(stall));
        (Resource, Stall, Stalled, Window) = (resource, stall, stalled, window);
    }

    /// <summary>What is waited for.</summary>
    public CgroupPressureResource Resource { get; }

    /// <summary>Whether one process that waits is enough.</summary>
    public CgroupStall Stall { get; }

    /// <summary>How much time must be lost within a window.</summary>
    public TimeSpan Stalled { get; }

    /// <summary>The window.</summary>
    public TimeSpan Window { get; }

    /// <summary>The file of the group that the trigger is written to.</summary>
    internal string File => Resource switch
    {
        CgroupPressureResource.Cpu => "cpu.pressure",
        CgroupPressureResource.Memory => "memory.pressure",
        CgroupPressureResource.Io => "io.pressure",
        _ => "irq.pressure",
    };

    /// <summary>As the kernel takes it, in microseconds: <c>some 150000 1000000</c>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{(Stall == CgroupStall.Some ? "some" : "full")} {Microseconds(Stalled)} {Microseconds(Window)}");

    private static bool IsWhole(TimeSpan time) => time.Ticks % TimeSpan.TicksPerMicrosecond == 0;

    private static long Microseconds(TimeSpan time) => time.Ticks / TimeSpan.TicksPerMicrosecond;
}

/// <summary>What processes wait for.</summary>
public enum CgroupPressureResource
{
    /// <summary>A processor. <c>cpu.pressure</c>.</summary>
    Cpu,

    /// <summary>Memory. <c>memory.pressure</c>.</summary>
    Memory,

    /// <summary>Block devices. <c>io.pressure</c>.</summary>
    Io,

    /// <summary>Interrupts to be served. <c>irq.pressure</c> (Linux 6.1).</summary>
    Irq,
}

/// <summary>How much of a group stands still.</summary>
public enum CgroupStall
{
    /// <summary>At least one process waits.</summary>
    Some,

    /// <summary>All that have something to do wait.</summary>
    Full,
}
