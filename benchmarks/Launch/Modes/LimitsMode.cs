using System.Diagnostics;
using System.Globalization;
using Isolation.Cgroups;
using Isolation.Linux;

namespace Isolation.Benchmarks;

/// <summary>What a control group costs: made, limited, entered and removed, beside the bare system calls; read; and in a launch.</summary>
internal static class LimitsMode
{
    private const int Reads = 10_000;
    private static readonly ResourceLimits Limits = new() { Memory = 256 << 20, Cpus = 1, Pids = 100 };
    private static readonly CgroupController[] Controllers = [CgroupController.Memory, CgroupController.Cpu, CgroupController.Pids];

    internal static async Task RunAsync(Options options, Report report)
    {
        await GroupsAsync(options, report);
        Read(report);
        await LaunchesAsync(options, report);
    }

    private static async Task GroupsAsync(Options options, Report report)
    {
        using Process sleeper = Process.Start("sleep", "1000000");
        string process = sleeper.Id.ToString(CultureInfo.InvariantCulture);
        GroupDirectory[] parents = [.. Controllers.Select(controller => CgroupSystem.Current.PlaceOf(controller)!).DistinctBy(place => place.OwnDirectory).Select(place => GroupDirectory.Open(place.Mount.Version, place.OwnDirectory))];
        (string File, string Value)[][] writes = parents[0].Version == CgroupVersion.V2
            ? [[("memory.max", "268435456"), ("cpu.max", "100000 100000"), ("pids.max", "100")]]
            : [[("memory.limit_in_bytes", "268435456")], [("cpu.cfs_quota_us", "100000")], [("pids.max", "100")]];
        int number = 0;
        Entry bare = new("bare mkdirat, openat, write, close, unlinkat", () => BareAsync(parents, writes, process, $"isolation-bare-{number++}"));
        Entry group = new("**Cgroup**", () => GroupAsync(parents, process, $"isolation-bench-{number++}"));
        await Interleaved.RunAsync([bare, group], options.Warmup ?? 30, options.Rounds ?? 500);
        sleeper.Kill();
        report.Heading("Group: made, limited in memory, processors and processes, entered by a process, left by it, removed", "Asked for: at most 1.3 times the bare system calls.");
        report.Table(["what", "min ms", "median ms", "median ÷", "min ÷"], new[] { bare, group }.Select(entry => Row(entry, bare)));
        foreach (GroupDirectory parent in parents) parent.Dispose();
    }

    private static Task BareAsync(GroupDirectory[] parents, (string File, string Value)[][] writes, string process, string name)
    {
        for (int i = 0; i < parents.Length; i++)
        {
            using GroupDirectory group = parents[i].TryMake(name)!;
            foreach ((string file, string value) in writes[i]) group.Write(file, value);
            group.Write("cgroup.procs", process);
        }

        foreach (GroupDirectory parent in parents)
        {
            parent.Write("cgroup.procs", process);
            Syscall.Check(DirectoryFiles.TryDeleteDirectory(parent.Directory, name), "unlinkat", name);
        }

        return Task.CompletedTask;
    }

    private static Task GroupAsync(GroupDirectory[] parents, string process, string name)
    {
        Cgroup group = Cgroup.Create(name, Limits);
        group.Add(int.Parse(process, CultureInfo.InvariantCulture));
        foreach (GroupDirectory parent in parents) parent.Write("cgroup.procs", process);
        if (!group.TryRemove()) throw new InvalidOperationException("The group is still there.");
        return Task.CompletedTask;
    }

    private static void Read(Report report)
    {
        Cgroup group = Cgroup.Create("isolation-bench-read", Limits, new CgroupOptions { Controllers = [CgroupController.CpuAccounting, CgroupController.Io] });
        for (int i = 0; i < 100; i++) group.ReadStats();
        long bytes = GC.GetAllocatedBytesForCurrentThread(), start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Reads; i++) group.ReadStats();
        double time = Stopwatch.GetElapsedTime(start).TotalMicroseconds / Reads;
        bytes = (GC.GetAllocatedBytesForCurrentThread() - bytes) / Reads;
        group.TryRemove();
        report.Heading("Figures: one reading of memory, cpu, cpuacct, io and pids", "Asked for: less than 100 µs and 1 KiB of garbage.");
        report.Table(["µs", "bytes of garbage"], [[Report.Number(time), bytes.ToString(CultureInfo.InvariantCulture)]]);
    }

    private static async Task LaunchesAsync(Options options, Report report)
    {
        using BusyboxRoot root = new();
        Entry baseline = new("Process.Start, output captured", () => Tools.RunCapturedAsync(root.Program));
        Entry without = new("Isolation, all but user and time", Specs.Run(Specs.Headline(root)));
        Entry with = new("**Isolation, all but user and time, with limits**", Specs.Run(Specs.Headline(root).WithLimits(Limits)));
        (Entry Without, Entry With)[] pairs = [(without, with), .. Peers.Limited(root, Limits)];
        Entry[] entries = [baseline, .. pairs.SelectMany(pair => new[] { pair.Without, pair.With })];
        await Interleaved.RunAsync(entries, options.Warmup ?? 30, options.Rounds ?? 200);
        report.Heading("Launch with limits of memory, processors and processes: start to exit of `/bin/true`", "Asked for: at most 2.5 times Process.Start on v1.");
        report.Table(["what", "min ms", "median ms", "median ÷", "min ÷"], entries.Select(entry => Row(entry, baseline)));
        report.Heading("What limits add to a launch", "The difference of the medians above. runc makes its groups without limits too, so that its difference is that of the limits alone.");
        report.Table(["what", "ms"], pairs.Where(pair => pair.Without.Failure is null && pair.With.Failure is null).Select(pair => new[] { pair.With.Name, Report.Number(pair.With.Samples.Median - pair.Without.Samples.Median) }));
        report.Line();
    }

    private static string[] Row(Entry entry, Entry baseline) => entry.Failure is not null
        ? [entry.Name, entry.Failure, "", "", ""]
        :
        [
            entry.Name, entry.Samples.Min.ToString("0.000", CultureInfo.InvariantCulture), entry.Samples.Median.ToString("0.000", CultureInfo.InvariantCulture),
            Report.Number(entry.Samples.Median / baseline.Samples.Median), Report.Number(entry.Samples.Min / baseline.Samples.Min),
        ];
}
