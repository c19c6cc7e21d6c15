namespace Isolation.Linux;

/// <summary>What this process has used so far (getrusage(2)).</summary>
internal static unsafe class ProcessUsage
{
    /// <summary>Its largest resident set, in bytes; null where the kernel does not say.</summary>
    internal static long? PeakResidentBytes()
    {
        rusage usage = default;
        nint result = Syscall.Invoke(SystemCall.getrusage, Abi.RUSAGE_SELF, (nint)(&usage));
        return Syscall.IsError(result) ? null : usage.ru_maxrss * 1024; // the kernel counts KiB
    }
}
