using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Isolation.Linux;

namespace Isolation.Nested;

/// <summary>
/// Starts programs that are busy with containers, kills them, and looks at what is left once somebody has opened their
/// state directory. It makes itself the parent of all orphans (prctl(2), PR_SET_CHILD_SUBREAPER), so that no process that a
/// victim leaves can escape it, whoever made it: in the end it must have no child. A line for each victim.
/// </summary>
internal static class Killer
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);
    private static readonly ConcurrentDictionary<int, bool> Living = new();

    internal static async Task<int> RunAsync(Queue<string> words)
    {
        string mode = words.Dequeue(), directory = words.Dequeue();
        int atOnce = int.Parse(words.Dequeue(), CultureInfo.InvariantCulture);
        Syscall.Check(Syscall.Invoke(SystemCall.prctl, Abi.PR_SET_CHILD_SUBREAPER, 1), "prctl", "PR_SET_CHILD_SUBREAPER");
        new Thread(ReapAlways) { IsBackground = true }.Start();
        string[] mounts = Leftovers.Mounts(), links = Leftovers.Links();
        switch (mode)
        {
            case "churn":
            {
                int count = int.Parse(words.Dequeue(), CultureInfo.InvariantCulture), seed = int.Parse(words.Dequeue(), CultureInfo.InvariantCulture);
                await Parallel.ForAsync(0, count, Options(atOnce), async (i, _) => await ChurnAsync(directory, unchecked(seed + i)));
                break;
            }

            case "stand":
                foreach (string kind in words) await StandAsync(directory, kind);
                break;
            case "die":
                foreach (string scenario in words) await DieAsync(directory, scenario, atOnce);
                break;
            default:
                throw new ArgumentException($"There is no way to kill '{mode}'.");
        }

        string end = await EndAsync(mounts, links);
        Console.WriteLine("end\t" + end);
        return end == "nothing" ? 0 : 1;
    }

    /// <summary>Kills at a random moment: half of them in the first tenth of a second, in which all of the workers start something.</summary>
    private static async Task ChurnAsync(string directory, int seed)
    {
        Random random = new(seed);
        string state = Path.Join(directory, seed.ToString(CultureInfo.InvariantCulture));
        int delay = random.Next(2) == 0 ? random.Next(100) : random.Next(600);
        using Process victim = Start("churn", state, seed.ToString(CultureInfo.InvariantCulture));
        await victim.StandardOutput.ReadLineAsync();
        await Task.Delay(delay);
        Report($"churn {seed}", $"after {delay} ms", await KillAsync(victim, state));
    }

    private static async Task StandAsync(string directory, string kind)
    {
        string state = Path.Join(directory, kind);
        using Process victim = Start("stand", state, kind);
        string? ready = await victim.StandardOutput.ReadLineAsync();
        Report($"stand {kind}", ready ?? "it did not start", await KillAsync(victim, state));
    }

    /// <summary>Victims that kill themselves before the first call, the second, and so on, until there is no such call.</summary>
    private static async Task DieAsync(string directory, string scenario, int atOnce)
    {
        int next = 0;
        bool isOver = false;
        await Task.WhenAll(Enumerable.Range(0, atOnce).Select(async _ =>
        {
            while (!isOver)
            {
                string number = Interlocked.Increment(ref next).ToString(CultureInfo.InvariantCulture), state = Path.Join(directory, $"{scenario}-{number}");
                using Process victim = Start("die", state, scenario, number);
                string? count = await victim.StandardOutput.ReadLineAsync();
                if (count is not null) isOver = true;
                Report($"die {scenario} {number}", count is null ? "" : $"{count} calls", await KillAsync(victim, state, mayOutlive: scenario == "outlive"));
            }
        }));
    }

    /// <summary>Kills it if it still lives, opens its state directory, and says what is left.</summary>
    private static async Task<string> KillAsync(Process victim, string state, bool mayOutlive = false)
    {
        HashSet<(int, ulong)> before = [.. Descendants(victim.Id)];
        if (victim.HasExited && victim.ExitCode is not 0 and not 137) return $"it ended with exit code {victim.ExitCode}: {await victim.StandardError.ReadToEndAsync()}";
        victim.Kill();
        await victim.WaitForExitAsync();
        long start = Stopwatch.GetTimestamp();
        HostRecovery recovery;
        await using (IsolationHost host = await IsolationHost.OpenAsync(state)) recovery = host.Recovery;
        if (recovery.Left.Count > 0 || recovery.SetAside.Count > 0) return $"left {string.Join(", ", recovery.Left)}, set aside {string.Join(", ", recovery.SetAside)}";
        while (true)
        {
            (int ProcessId, ulong StartTime)[] alive = [.. before.Where(process => ProcessStartTime.Read(process.Item1) == process.Item2)];
            string[] files = [.. Leftovers.Files(state), .. FaultGroups.Of(state)];
            if (alive.Length == 0 && files.Length == 0) break;

            // What was to outlive its host has ended since, and the next who opens removes what is known of it.
            if (alive.Length == 0 && mayOutlive) await (await IsolationHost.OpenAsync(state)).DisposeAsync();
            if (Stopwatch.GetElapsedTime(start) > Patience) return $"processes {string.Join(", ", alive.Select(process => Describe(process.ProcessId)))}; files {string.Join(", ", files)}";
            await Task.Delay(5);
        }

        Living.TryRemove(victim.Id, out _);
        FaultGroups.RemoveParents(state);
        Directory.Delete(state, recursive: true);
        return "nothing";
    }

    private static async Task<string> EndAsync(string[] mounts, string[] links)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            List<int> children = Leftovers.Children();
            string more = string.Join("; ", [
                .. children.Select(child => "the process " + Describe(child)),
                .. Leftovers.Mounts().Except(mounts).Select(mount => "the mount " + mount),
                .. Leftovers.Links().Except(links).Select(link => "the link " + link)]);
            if (more.Length == 0) return "nothing";
            if (Stopwatch.GetElapsedTime(start) > Patience) return more;
            await Task.Delay(10);
        }
    }

    /// <summary>
    /// Takes in the orphans that have ended, as an init does: the first process of a pid namespace does not end while one of
    /// its members waits to be reaped (pid_namespaces(7)). The victims are the runtime's to reap.
    /// </summary>
    private static void ReapAlways()
    {
        while (true)
        {
            lock (Living)
            {
                foreach (int child in Leftovers.Children())
                    if (!Living.ContainsKey(child)) Syscall.Invoke(SystemCall.waitid, Abi.P_PID, child, 0, Abi.WEXITED | Abi.__WALL | Abi.WNOHANG);
            }

            Thread.Sleep(2);
        }
    }

    private static Process Start(params string[] words)
    {
        ProcessStartInfo start = new(NestedProgram.Path, ["victim", .. words]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        Directory.CreateDirectory(words[1], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        lock (Living)
        {
            Process process = Process.Start(start)!;
            Living[process.Id] = true;
            return process;
        }
    }

    private static IEnumerable<(int, ulong)> Descendants(int process)
    {
        foreach (int child in ChildrenOf(process))
        {
            if (ProcessStartTime.Read(child) is { } start) yield return (child, start);
            foreach ((int, ulong) further in Descendants(child)) yield return further;
        }
    }

    private static int[] ChildrenOf(int process)
    {
        try
        {
            return [.. Directory.GetDirectories($"/proc/{process}/task").SelectMany(task => File.ReadAllText(task + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(word => int.Parse(word, CultureInfo.InvariantCulture))];
        }
        catch (IOException)
        {
            return []; // it has ended
        }
    }

    private static string Describe(int process)
    {
        try
        {
            return $"{process} {File.ReadAllText($"/proc/{process}/stat")[..60].ReplaceLineEndings(" ")} {File.ReadAllText($"/proc/{process}/wchan")}";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return process.ToString(CultureInfo.InvariantCulture);
        }
    }

    private static void Report(string victim, string how, string left)
    {
        lock (Living) Console.WriteLine($"{victim}\t{how}\t{left}");
    }

    private static ParallelOptions Options(int atOnce) => new() { MaxDegreeOfParallelism = atOnce };
}
