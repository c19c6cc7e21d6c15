using System.Globalization;
using System.Runtime.InteropServices;

namespace Isolation.Nested;

/// <summary>
/// A hostile process of a container: tries to get at whatever enters, over and over, until a file appears. Says in one
/// line each what it found of the host, and at the end how many processes it met and how many it could trace.
/// </summary>
internal static partial class Watch
{
    private const int PTRACE_DETACH = 17, PTRACE_SEIZE = 0x4206, PTRACE_INTERRUPT = 0x4207, WALL = 0x40000000, WNOHANG = 1;
    private static readonly HashSet<string> Found = [];
    private static readonly HashSet<string> Programs = [];

    internal static int Run(string stop)
    {
        int met = 0, traced = 0;
        HashSet<string> before = [.. Processes()];
        Console.WriteLine("ready");
        while (!File.Exists(stop))
        {
            foreach (string process in Processes())
            {
                if (before.Contains(process)) continue;
                met++;
                if (Look(process)) traced++;
            }
        }

        foreach (string line in Found) Console.WriteLine(line);
        Console.WriteLine($"met {met} traced {traced} programs {string.Join(' ', Programs.Order())}");
        return 0;
    }

    private static IEnumerable<string> Processes() => Directory.EnumerateDirectories("/proc").Where(directory => char.IsAsciiDigit(directory[6]));

    private static bool Look(string process)
    {
        Link(process + "/exe", isProgram: true);
        Link(process + "/cwd");
        Link(process + "/root");
        foreach (string descriptor in Try(() => Directory.GetFileSystemEntries(process + "/fd")) ?? []) Link(descriptor);
        Try(() =>
        {
            // What runs when it is opened must not be what the host executes: it would be written over (CVE-2019-5736).
            using FileStream program = new(process + "/exe", FileMode.Open, FileAccess.ReadWrite);
            Found.Add($"{process}/exe is writable: {program.Name}");
            return true;
        });
        if (Try(() => File.ReadAllText(process + "/maps")) is { } maps && maps.Contains("memfd", StringComparison.Ordinal)) Found.Add("maps of the image");

        // A program that is started in a container has the container's environment, which this one has as well.
        foreach (string variable in (Try(() => File.ReadAllText(process + "/environ")) ?? "").Split('\0', StringSplitOptions.RemoveEmptyEntries))
            if (Environment.GetEnvironmentVariable(variable.Split('=')[0]) is null) Found.Add("environ of the host: " + variable);
        Try(() =>
        {
            using FileStream memory = new(process + "/mem", FileMode.Open, FileAccess.ReadWrite);
            Link(process + "/exe"); // had it been the image's, this is what it would still be
            return true;
        });
        return Trace(int.Parse(process.AsSpan(6), CultureInfo.InvariantCulture), process);
    }

    private static bool Trace(int id, string process)
    {
        // Not PTRACE_ATTACH, which waits for an execution that is under way and would end it with SIGTRAP.
        if (ptrace(PTRACE_SEIZE, id, 0, 0) != 0) return false;
        ptrace(PTRACE_INTERRUPT, id, 0, 0);
        while (waitpid(id, out int status, WALL | WNOHANG) == 0) Thread.Yield();
        Link(process + "/exe");
        foreach (string descriptor in Try(() => Directory.GetFileSystemEntries(process + "/fd")) ?? []) Link(descriptor);
        ptrace(PTRACE_DETACH, id, 0, 0);
        return true;
    }

    /// <summary>A link is of the host where it leads to the image, the channel, a pidfd or a namespace.</summary>
    private static void Link(string path, bool isProgram = false)
    {
        string? target = Try(() => new FileInfo(path).LinkTarget);
        if (target is null) return;
        if (isProgram) Programs.Add(target);
        string name = path[(path.LastIndexOf('/') + 1)..];
        foreach (string mark in (string[])["memfd:", "socket:", "anon_inode:", "mnt:[", "net:[", "pid:[", "user:[", "/proc/", "(deleted)", "(unreachable)"])
            if (target.Contains(mark, StringComparison.Ordinal)) Found.Add($"{name} -> {target}");
    }

    private static T? Try<T>(Func<T> look)
    {
        try
        {
            return look();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return default; // gone, or refused
        }
    }

    [LibraryImport("libc")]
    private static partial nint ptrace(nint request, nint process, nint address, nint data);

    [LibraryImport("libc")]
    private static partial int waitpid(int process, out int status, int options);
}
