using System.Buffers.Text;

namespace Isolation.Linux;

/// <summary>A process's <c>/proc/[pid]/stat</c> (proc_pid_stat(5)).</summary>
internal static class ProcessStat
{
    private const int FirstAfterName = 3, UserTime = 14, SystemTime = 15;

    /// <summary>A field by its number in the manual; null where there is no such process, or where the text is none of the kernel's.</summary>
    /// <exception cref="LinuxException">It cannot be read for another reason.</exception>
    internal static ulong? Field(int processId, int number)
    {
        Span<byte> text = stackalloc byte[1024];
        return Field(text[..Read(processId, text)], number);
    }

    /// <summary>For how long processors have run a process, user and kernel, in ticks; 0 where there is no such process.</summary>
    /// <exception cref="LinuxException">It cannot be read.</exception>
    internal static ulong ProcessorTime(int processId)
    {
        Span<byte> buffer = stackalloc byte[1024];
        ReadOnlySpan<byte> text = buffer[..Read(processId, buffer)];
        return (Field(text, UserTime) ?? 0) + (Field(text, SystemTime) ?? 0);
    }

    internal static ulong? Field(ReadOnlySpan<byte> text, int number)
    {
        // The name, in parentheses, is the process's to choose: it may hold spaces and parentheses itself.
        int name = text.LastIndexOf((byte)')');
        if (name < 0 || text.Length < name + 3) return null;
        ReadOnlySpan<byte> rest = text[(name + 2)..];
        for (int field = FirstAfterName; field < number; field++)
        {
            int space = rest.IndexOf((byte)' ');
            if (space < 0) return null;
            rest = rest[(space + 1)..];
        }

        return Utf8Parser.TryParse(rest, out ulong value, out _) ? value : null;
    }

    private static int Read(int processId, Span<byte> text)
    {
        try
        {
            using FileDescriptor file = FileDescriptor.Open(FormattableString.Invariant($"/proc/{processId}/stat"), Abi.O_RDONLY);
            return Descriptors.Read(file, text);
        }
        catch (LinuxException exception) when (exception.Errno is Errno.ENOENT or Errno.ESRCH)
        {
            return 0;
        }
    }
}
