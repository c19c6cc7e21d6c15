using System.Buffers.Text;

namespace Isolation.Linux;

/// <summary>
/// When a process was started, in ticks since boot, from <c>/proc/[pid]/stat</c> (proc_pid_stat(5)). Together with the
/// process id it names a process for as long as the machine runs: a number that is given away again is given to a later
/// process. No change of the clock changes it.
/// </summary>
internal static class ProcessStartTime
{
    private const int Field = 22, FirstAfterName = 3;

    /// <summary>Null where there is no such process.</summary>
    /// <exception cref="LinuxException">It cannot be read for another reason.</exception>
    internal static ulong? Read(int processId)
    {
        try
        {
            using FileDescriptor file = FileDescriptor.Open(FormattableString.Invariant($"/proc/{processId}/stat"), Abi.O_RDONLY);
            Span<byte> text = stackalloc byte[1024];
            return Parse(text[..Descriptors.Read(file, text)]);
        }
        catch (LinuxException exception) when (exception.Errno is Errno.ENOENT or Errno.ESRCH)
        {
            return null;
        }
    }

    /// <summary>Null where the text is none of the kernel's.</summary>
    internal static ulong? Parse(ReadOnlySpan<byte> text)
    {
        // The name, in parentheses, is the process's to choose: it may hold spaces and parentheses itself.
        int name = text.LastIndexOf((byte)')');
        if (name < 0 || text.Length < name + 3) return null;
        ReadOnlySpan<byte> rest = text[(name + 2)..];
        for (int field = FirstAfterName; field < Field; field++)
        {
            int space = rest.IndexOf((byte)' ');
            if (space < 0) return null;
            rest = rest[(space + 1)..];
        }

        return Utf8Parser.TryParse(rest, out ulong start, out _) ? start : null;
    }

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
