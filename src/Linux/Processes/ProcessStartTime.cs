namespace Isolation.Linux;

/// <summary>
/// When a process was started, in ticks since boot, from <c>/proc/[pid]/stat</c> (proc_pid_stat(5)). Together with the
/// process id it names a process for as long as the machine runs: a number that is given away again is given to a later
/// process. No change of the clock changes it.
/// </summary>
internal static class ProcessStartTime
{
    private const int Field = 22;

    /// <summary>Null where there is no such process.</summary>
    /// <exception cref="LinuxException">It cannot be read for another reason.</exception>
    internal static ulong? Read(int processId) => ProcessStat.Field(processId, Field);

    /// <summary>Null where the text is none of the kernel's.</summary>
    internal static ulong? Parse(ReadOnlySpan<byte> text) => ProcessStat.Field(text, Field);

    /// <summary>The process if it still runs.</summary>
    internal static PidDescriptor? Open(int processId, ulong startTime)
    {
        if (PidDescriptor.TryOpen(processId) is not { } process) return null;

        // In this order: what the number means now is held by the descriptor, and only then looked at. A process that
        // has the number and not the start time is another, which was given the number since. Whether it has ended the
        // descriptor tells and not the state in /proc: that is the first thread's, which may end long before the rest.
        try
        {
            if (Read(processId) == startTime && !process.WaitForEnd(TimeSpan.Zero)) return process;
            process.Dispose();
            return null;
        }
        catch
        {
            process.Dispose();
            throw;
        }
    }
}
