using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>The command line of samples/Runtime beside those of runc and crun: same bundle, one run.</summary>
internal static class RuntimeMode
{
    internal static async Task RunAsync(Options options, Report report)
    {
        using BusyboxRoot root = new();
        string published = root.Scratch("published");
        await Tools.RunCapturedAsync("dotnet", "publish", Path.Join(Source(), "samples/Runtime"), "-c", "Release", "-o", published);
        Bundle bundle = new(root);
        List<(string Name, string Program, string[] Flags)> runtimes = [("**isolation-runtime**", Path.Join(published, "isolation-runtime"), [])];
        foreach ((string tool, string[] flags) in (ReadOnlySpan<(string, string[])>)[("runc", []), ("crun", []), ("crun", ["--cgroup-manager=disabled"])])
            if (Tools.Find(tool) is { } program) runtimes.Add((flags.Length == 0 ? tool : $"{tool} without control groups", program, flags));
        int count = 0;
        Entry Of(string name, string program, string[] flags, Func<string, string[][]> commands)
        {
            string state = root.Scratch("state-" + Path.GetFileName(program) + flags.Length.ToString(CultureInfo.InvariantCulture));
            return new(name, async () =>
            {
                string id = string.Create(CultureInfo.InvariantCulture, $"isolation-benchmark-{Environment.ProcessId}-{count++}");
                // What create starts has the streams of create, and would be waited for.
                foreach (string[] command in commands(id)) await Tools.RunCapturedAsync("/bin/sh", ["-c", "exec \"$@\" </dev/null >/dev/null 2>&1", "sh", program, .. flags, "--root", state, .. command]);
            });
        }

        Entry[] run = [.. runtimes.Select(runtime => Of(runtime.Name, runtime.Program, runtime.Flags, id => [["run", "--bundle", bundle.Path, id]]))];
        Entry[] steps = [.. runtimes.Select(runtime => Of(runtime.Name, runtime.Program, runtime.Flags, id => [["create", "--bundle", bundle.Path, id], ["start", id], ["delete", "--force", id]]))];
        int rounds = options.Rounds ?? 60;
        foreach ((string what, Entry[] entries) in ((string, Entry[])[])[("run", run), ("create, start, delete --force", steps)])
        {
            await Interleaved.RunAsync(entries, 5, rounds);
            report.Heading($"OCI runtimes: `{what}` of `/bin/true`", $"The command from its start to its end, by Process.Start and a shell that executes it; the same bundle; {rounds} rounds, interleaved. "
                + (WithoutUnifiedHierarchy.IsApplied ? "In a mount namespace in which `/sys/fs/cgroup/unified` is not mounted, because crun refuses it." : ""));
            report.Table(["what", "min ms", "median ms", "p90 ms", "ours ÷ it, min", "ours ÷ it, median"], entries.Select(entry => entry.Failure is { } failure
                ? (string[])[entry.Name, "not measured", failure, "", "", ""]
                : [entry.Name, Report.Number(entry.Samples.Min), Report.Number(entry.Samples.Median), Report.Number(entry.Samples.P90), Report.Number(entries[0].Samples.Min / entry.Samples.Min), Report.Number(entries[0].Samples.Median / entry.Samples.Median)]));
            report.Line();
        }

        await MemoryAsync(report, root, bundle, runtimes);
    }

    private static async Task MemoryAsync(Report report, BusyboxRoot root, Bundle bundle, List<(string Name, string Program, string[] Flags)> runtimes)
    {
        if (Tools.Find("time") is not { } time)
        {
            report.Line("Peak memory was not measured: time(1) is not installed.");
            return;
        }

        List<string[]> rows = [];
        foreach ((string name, string program, string[] flags) in runtimes)
        {
            string file = Path.Join(root.Scratch("memory"), "kilobytes");
            Samples samples = new();
            try
            {
                for (int i = 0; i < 5; i++)
                {
                    await Tools.RunCapturedAsync(time, ["-f", "%M", "-o", file, program, .. flags, "--root", root.Scratch("memory-state"), "run", "--bundle", bundle.Path, string.Create(CultureInfo.InvariantCulture, $"isolation-benchmark-{Environment.ProcessId}-m{i}")]);
                    samples.Add(double.Parse(await File.ReadAllTextAsync(file), CultureInfo.InvariantCulture) / 1024);
                }

                rows.Add([name, Report.Number(samples.Median)]);
            }
            catch (Exception exception)
            {
                rows.Add([name, "not measured: " + exception.Message.ReplaceLineEndings(" ").Trim()]);
            }
        }

        report.Heading("OCI runtimes: peak memory of `run`", "Of the largest process of the command (getrusage(2), ru_maxrss), by time(1); median of 5.");
        report.Table(["what", "MiB"], rows);
    }

    private static string Source()
    {
        for (string? at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
            if (File.Exists(Path.Join(at, "Isolation.sln"))) return at;
        throw new DirectoryNotFoundException("There is no Isolation.sln above the benchmarks.");
    }
}
