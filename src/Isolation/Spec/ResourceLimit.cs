namespace Isolation;

/// <summary>What a process may use of (getrlimit(2)), numbered as the kernel numbers it on x86-64 and arm64.</summary>
public enum ResourceLimitKind
{
    /// <summary>CPU time, in seconds.</summary>
    CpuTime = 0,

    /// <summary>The size of a file it writes, in bytes.</summary>
    FileSize = 1,

    /// <summary>The data segment, in bytes.</summary>
    Data = 2,

    /// <summary>The stack, in bytes.</summary>
    Stack = 3,

    /// <summary>A core dump, in bytes.</summary>
    CoreDump = 4,

    /// <summary>Processes of the user, counted over all of the machine.</summary>
    Processes = 6,

    /// <summary>One above the highest descriptor.</summary>
    OpenFiles = 7,

    /// <summary>Locked memory, in bytes.</summary>
    LockedMemory = 8,

    /// <summary>The address space, in bytes.</summary>
    AddressSpace = 9,

    /// <summary>File locks.</summary>
    Locks = 10,

    /// <summary>Queued signals.</summary>
    PendingSignals = 11,

    /// <summary>POSIX message queues, in bytes.</summary>
    MessageQueues = 12,

    /// <summary>20 less the lowest nice value.</summary>
    Nice = 13,

    /// <summary>The highest real-time priority.</summary>
    RealTimePriority = 14,

    /// <summary>CPU time without a blocking call under real-time scheduling, in microseconds.</summary>
    RealTimeTimeout = 15,
}

/// <summary>A limit: what is enforced, and how far the process itself may raise that.</summary>
/// <param name="Soft">What is enforced; <see cref="Unlimited"/> for none.</param>
/// <param name="Hard">The most that <paramref name="Soft"/> may be; raising it above the caller's takes CAP_SYS_RESOURCE on the host.</param>
public readonly record struct ResourceLimit(ulong Soft, ulong Hard)
{
    /// <summary>No limit.</summary>
    public const ulong Unlimited = ulong.MaxValue;

    /// <inheritdoc/>
    public override string ToString() => $"{Text(Soft)}/{Text(Hard)}";

    private static string Text(ulong value) => value == Unlimited ? "unlimited" : value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
