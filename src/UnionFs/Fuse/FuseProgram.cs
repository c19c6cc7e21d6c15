using System.Diagnostics;
using System.Text;
using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>
/// One running fuse-overlayfs. It is started by a shell that waits for its own standard input to end: the other end of that
/// pipe is ours alone, so when this process goes, however it goes, the shell unmounts and ends the program. (A signal at the
/// death of the parent is no way: it is sent when the thread that started the program ends.)
/// </summary>
internal sealed class FuseProgram
{
    private const string Name = "fuse-overlayfs";

    // A signal meant for us, as Ctrl-C sends it to the whole group, must not take the files away from a container that still runs.
    private const string Keeper = """
        trap '' HUP INT QUIT TERM
        point=$1 unmount=$2
        shift 2
        "$@" </dev/null >&2 &
        echo $!
        exec >&2
        read -r line
        case $unmount in
        */umount) set -- -l ;;
        *) set -- -u -q -z ;;
        esac
        # Again where it fails: both read the table of mounts, which misses entries while others mount and unmount.
        i=0
        until "$unmount" "$@" "$point" 2>/dev/null || [ $i -ge 5 ]; do sleep 0.05; i=$((i+1)); done
        i=0
        while kill -0 $! 2>/dev/null && [ $i -lt 50 ]; do sleep 0.02; i=$((i+1)); done
        kill -9 $! 2>/dev/null
        wait
        """;

    private readonly Process _process;
    private readonly StringBuilder _words = new();
    private volatile string? _program; // its process id, once the shell has started it

    private FuseProgram(Process process)
    {
        _process = process;
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.OutputDataReceived += (_, line) => _program ??= line.Data;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
    }

    /// <param name="programs">Their paths, where they are.</param>
    /// <returns>What is lacking, or null.</returns>
    internal static string? Find(out (string Program, string Unmount, string Shell) programs)
    {
        string? program = OnPath(Name), shell = OnPath("sh");
        string? unmount = Environment.IsPrivilegedProcess ? OnPath("umount") ?? OnPath("fusermount3") : OnPath("fusermount3") ?? OnPath("fusermount");
        programs = (program ?? "", unmount ?? "", shell ?? "");
        if (program is null) return "the program fuse-overlayfs is not on PATH";
        if (shell is null) return "there is no shell on PATH";
        if (unmount is null) return "neither fusermount3 nor umount is on PATH";
        try
        {
            // Also where fusermount3 has more rights: it opens the device as its caller.
            FileDescriptor.Open("/dev/fuse", Abi.O_RDWR).Dispose();
            return null;
        }
        catch (LinuxException exception)
        {
            return exception.Failure;
        }
    }

    /// <summary>Starts it and waits until it has mounted.</summary>
    /// <param name="directory">Its current directory.</param>
    /// <param name="options">As after -o.</param>
    /// <param name="point">Where it mounts; absolute.</param>
    /// <param name="cancellationToken">Ends the waiting, and the program.</param>
    /// <exception cref="UnionFsException">It ended, with its words; or it does not mount.</exception>
    internal static async Task<FuseProgram> StartAsync(string directory, string options, string point, CancellationToken cancellationToken)
    {
        if (Find(out (string Program, string Unmount, string Shell) programs) is { } lack)
            throw new UnionFsException(UnionFsErrorReason.DriverUnavailable, $"The driver FuseOverlay does not work here: {lack}", remedy: "Install the packages fuse-overlayfs and fuse3.");
        ProcessStartInfo start = new(programs.Shell) { WorkingDirectory = directory, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["-c", Keeper, "isolation-fuse", point, programs.Unmount, programs.Program, "-f", "-o", options, point]) start.ArgumentList.Add(argument);
        FileStatus before = StatusOf(point); // first: it may have mounted when this thread goes on
        FuseProgram program = new(Process.Start(start)!);
        try
        {
            if (await program.WaitForMountAsync(point, before, cancellationToken).ConfigureAwait(false) is not { } problem) return program;
            await program.StopAsync().ConfigureAwait(false);
            throw program.Failure(problem);
        }
        catch (Exception exception) when (exception is not UnionFsException)
        {
            await program.StopAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Unmounts and ends it; returns when it has ended.</summary>
    internal async ValueTask StopAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        _process.Dispose();
    }

    /// <returns>What is wrong, or null.</returns>
    private async Task<string?> WaitForMountAsync(string point, FileStatus before, CancellationToken cancellationToken)
    {
        for (long started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20);)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (IsMounted(point, before)) return null;
            if (HasEnded()) return "ended without mounting";
            await Task.Delay(2, cancellationToken).ConfigureAwait(false);
        }

        return "has not mounted after 20 seconds";
    }

    private static FileStatus StatusOf(string point)
    {
        using FileDescriptor directory = FileDescriptor.Open(point, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY);
        return FileStatus.Of(directory);
    }

    private static bool IsMounted(string point, FileStatus before)
    {
        try
        {
            using FileDescriptor now = FileDescriptor.Open(point, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY);
            return FileStatus.Of(now).Device != before.Device && KernelFileSystem.TypeOf(now) == Abi.FUSE_SUPER_MAGIC;
        }
        catch (LinuxException exception) when (exception.Errno is Errno.ENOTCONN or Errno.ECONNABORTED)
        {
            return false; // mounted, and the program does not answer: it has ended, which is looked at next
        }
    }

    // The shell does not end before we let it. It may take its time to start the program; one that has ended is its zombie, or is gone.
    private bool HasEnded()
    {
        if (_program is not { } program) return _process.HasExited;
        try
        {
            string status = File.ReadAllText($"/proc/{program}/stat");
            return status[status.LastIndexOf(')') + 2] == 'Z';
        }
        catch (IOException)
        {
            return !Directory.Exists($"/proc/{program}"); // or this process has no descriptor left to read it with
        }
    }

    private UnionFsException Failure(string what)
    {
        string words;
        lock (_words) words = _words.ToString().Trim();
        return new(UnionFsErrorReason.Failed, $"fuse-overlayfs {what}{(words.Length == 0 ? "" : $": {words}")}");
    }

    // Bounded, for a program that complains all the time.
    private void Keep(string? line)
    {
        lock (_words)
            if (line is not null && _words.Length < 4096) _words.AppendLine(line);
    }

    private static string? OnPath(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(["/usr/sbin", "/usr/bin", "/sbin", "/bin"])
            .Where(directory => directory.StartsWith('/')).Select(directory => $"{directory}/{name}").FirstOrDefault(File.Exists);
}
