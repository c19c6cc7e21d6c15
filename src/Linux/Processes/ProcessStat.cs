using System.Buffers.Text;

namespace Isolation.Linux;

/// <summary>A process's <c>/proc/[pid]/stat</c> (proc_pid_stat(5)).</summary>
internal static class ProcessStat
{
    private const int FirstAfterName = 3;

    /// <summary>A field by its number in the manual; null where there is no such process, or where the text is none of the kernel's.</summary>
    /// <exception cref="LinuxException">It cannot be read for another reason.</exception>
    internal static ulong? Field(int processId, int number)
    {
        Span<byte> text = stackalloc byte[1024];
        return Field(text[..Read(FormattableString.Invariant($"/proc/{processId}/stat"), text)], number);
    }

    /// <summary>Whether one of its threads runs or waits for nothing but a processor (state R), as also who has used up a quota does.</summary>
    /// <exception cref="LinuxException">It cannot be read.</exception>
    internal static bool IsRunnable(int processId)
    {
        string[] threads;
        try
        {
            threads = Directory.GetDirectories(FormattableString.Invariant($"/proc/{processId}/task"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false; // it has ended, or is not to be seen
        }

        Span<byte> text = stackalloc byte[1024];
        foreach (string thread in threads)
        {
            ReadOnlySpan<byte> read = text[..Read(thread + "/stat", text)];
            if (AfterName(read) is [(byte)'R', ..]) return true;
        }

        return false;
    }

    internal static ulong? Field(ReadOnlySpan<byte> text, int number)
    {
        ReadOnlySpan<byte> rest = AfterName(text);
        for (int field = FirstAfterName; field < number; field++)
        {
            int space = rest.IndexOf((byte)' ');
            if (space < 0) return null;
            rest = rest[(space + 1)..];
        }

        return Utf8Parser.TryParse(rest, out ulong value, out _) ? value : null;
    }

    /// <summary>From the third field on; empty where the text is none of the kernel's.</summary>
    private static ReadOnlySpan<byte> AfterName(ReadOnlySpan<byte> text)
    {
        // The name, in parentheses, is the process's to choose: it may hold spaces and parentheses itself.
        int name = text.LastIndexOf((byte)')');
        return name < 0 || text.Length < name + 3 ? default : text[(name + 2)..];
    }

    private static int Read(string path, Span<byte> text)
    {
        try
        {
            using FileDescriptor file = FileDescriptor.Open(path, Abi.O_RDONLY);
            return Descriptors.Read(file, text);
        }
        catch (LinuxException exception) when (exception.Errno is Errno.ENOENT or Errno.ESRCH)
        {
            return 0;
        }
    }
}
