using System.Globalization;

namespace Isolation.Live.Tests;

/// <summary>Limits and priorities.</summary>
public sealed class SettingsTests
{
    // Lower than what a process has as a rule, and enough for a shell.
    private static readonly Dictionary<ResourceLimitKind, (ulong Value, string Name)> Limits = new()
    {
        [ResourceLimitKind.CpuTime] = (1_000, "Max cpu time"),
        [ResourceLimitKind.FileSize] = (1_000_000, "Max file size"),
        [ResourceLimitKind.Data] = (500_000_000, "Max data size"),
        [ResourceLimitKind.Stack] = (4_000_000, "Max stack size"),
        [ResourceLimitKind.CoreDump] = (0, "Max core file size"),
        [ResourceLimitKind.Processes] = (2_000, "Max processes"),
        [ResourceLimitKind.OpenFiles] = (100, "Max open files"),
        [ResourceLimitKind.LockedMemory] = (65_536, "Max locked memory"),
        [ResourceLimitKind.AddressSpace] = (1_000_000_000, "Max address space"),
        [ResourceLimitKind.Locks] = (50, "Max file locks"),
        [ResourceLimitKind.PendingSignals] = (60, "Max pending signals"),
        [ResourceLimitKind.MessageQueues] = (70_000, "Max msgqueue size"),
        [ResourceLimitKind.Nice] = (0, "Max nice priority"),
        [ResourceLimitKind.RealTimePriority] = (0, "Max realtime priority"),
        [ResourceLimitKind.RealTimeTimeout] = (80_000, "Max realtime timeout"),
    };

    public static TheoryData<ResourceLimitKind> Kinds => [.. Enum.GetValues<ResourceLimitKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_limit_is_the_programs(ResourceLimitKind kind)
    {
        (ulong value, string name) = Limits[kind];
        ulong soft = value / 2;

        string output = await Sandbox.Host("cat", "/proc/self/limits").WithResourceLimit(kind, soft, value).OutputAsync();

        Assert.Equal([$"{soft}", $"{value}"], Values(output, name));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task All_limits_at_once_are_the_programs(bool init)
    {
        ContainerBuilder builder = Sandbox.Host("cat", "/proc/self/limits");
        foreach ((ResourceLimitKind kind, (ulong value, _)) in Limits) builder.WithResourceLimit(kind, value);
        if (init) builder.WithInit();

        string output = await builder.OutputAsync();

        Assert.All(Limits.Values, limit => Assert.Equal([$"{limit.Value}", $"{limit.Value}"], Values(output, limit.Name)));
    }

    [Fact]
    public async Task A_further_program_has_limits_of_its_own()
    {
        await using Container container = await Sandbox.SleeperAsync();

        string with = await container.NewProcess().WithCommand("cat", "/proc/self/limits").WithResourceLimit(ResourceLimitKind.OpenFiles, 77).OutputAsync();
        string without = await container.ExecOutputAsync("cat", "/proc/self/limits");

        Assert.Equal(["77", "77"], Values(with, "Max open files"));
        Assert.Equal(Values(File.ReadAllText("/proc/self/limits"), "Max open files"), Values(without, "Max open files"));
    }

    [Fact]
    public async Task A_limit_is_kept()
    {
        ContainerResult result = await Sandbox.HostShell("head -c 2000000 /dev/zero > /tmp/file; stat -c %s /tmp/file").WithResourceLimit(ResourceLimitKind.FileSize, 1_000_000).ResultAsync();

        Assert.Equal("1000000\n", result.StandardOutput);
    }

    [Fact]
    public async Task Nice_value_and_chance_to_be_chosen()
    {
        string[] lines = await Sandbox.HostShell("nice; cat /proc/self/oom_score_adj").WithNice(7).WithOomScoreAdjustment(600).LinesAsync();

        Assert.Equal(["7", "600"], lines);
    }

    [Fact]
    public async Task Processors()
    {
        int first = HostProcessors()[0], last = HostProcessors()[^1];

        Assert.Equal($"{last}", await AllowedAsync(last));
        Assert.Equal(first == last ? $"{first}" : last == first + 1 ? $"{first}-{last}" : $"{first},{last}", await AllowedAsync(last, first, last));
    }

    [Theory]
    [InlineData(SchedulingPolicy.Other, "SCHED_OTHER")]
    [InlineData(SchedulingPolicy.Batch, "SCHED_BATCH")]
    [InlineData(SchedulingPolicy.Idle, "SCHED_IDLE")]
    public async Task Scheduling(SchedulingPolicy policy, string name) =>
        Assert.Contains(name, await Sandbox.HostShell("chrt -p $$").WithScheduling(policy).OutputAsync(), StringComparison.Ordinal);

    [Theory]
    [InlineData(IoPriorityClass.BestEffort, 6, "best-effort: prio 6")]
    [InlineData(IoPriorityClass.BestEffort, 0, "best-effort: prio 0")]
    [InlineData(IoPriorityClass.Idle, 0, "idle")]
    public async Task Io_priority(IoPriorityClass ioClass, int level, string expected) =>
        Assert.Equal(expected, await Sandbox.Host("ionice").WithIoPriority(ioClass, level).OutputAsync());

    [Fact]
    public async Task What_the_host_does_not_allow_is_named()
    {
        Lane.RequiresUnprivileged("root may");

        ContainerException nice = await Sandbox.Host("true").WithNice(-5).RefusalAsync();
        ContainerException oom = await Sandbox.Host("true").WithOomScoreAdjustment(-500).RefusalAsync();
        ContainerException realTime = await Sandbox.Host("true").WithScheduling(SchedulingPolicy.Fifo, 10).RefusalAsync();
        ContainerException limit = await Sandbox.Host("true").WithResourceLimit(ResourceLimitKind.Nice, 40).RefusalAsync();

        Assert.Contains("nice value", nice.Message, StringComparison.Ordinal);
        Assert.Contains("OOM score", oom.Message, StringComparison.Ordinal);
        Assert.Contains("Fifo", realTime.Message, StringComparison.Ordinal);
        Assert.Contains("limit Nice", limit.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_takes_privilege_root_may_also_for_a_user_namespace_of_its_own(bool hostUser)
    {
        Lane.RequiresRoot("it takes privilege on the host");
        ContainerBuilder builder = Sandbox.HostShell("nice; chrt -p $$; ionice").WithNice(-5)
            .WithScheduling(SchedulingPolicy.RoundRobin, 3).WithIoPriority(IoPriorityClass.RealTime, 2);
        if (hostUser) builder.WithUserNs(NamespaceSource.Host);

        string output = await builder.OutputAsync();

        Assert.StartsWith("-5\n", output, StringComparison.Ordinal);
        Assert.Contains("SCHED_RR", output, StringComparison.Ordinal);
        Assert.EndsWith("realtime: prio 2", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lower_chance_to_be_chosen_takes_one_capability(bool hostUser)
    {
        Lane.RequiresRoot("it takes privilege on the host");
        ContainerBuilder builder = Sandbox.Host("cat", "/proc/self/oom_score_adj").WithOomScoreAdjustment(-500);
        if (hostUser) builder.WithUserNs(NamespaceSource.Host);

        // The root of a host that is itself a container may lack it.
        if (HostFactsReader.Current.Has(Capability.SysResource)) Assert.Equal("-500", await builder.OutputAsync());
        else Assert.Contains("OOM score adjustment", (await builder.RefusalAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bad_values_are_refused_at_the_call()
    {
        ContainerBuilder builder = Sandbox.Host("true");

        Assert.Throws<ArgumentOutOfRangeException>(() => builder.WithResourceLimit((ResourceLimitKind)5, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.WithResourceLimit(ResourceLimitKind.OpenFiles, 2, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.WithNice(20));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.WithNice(-21));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.WithOomScoreAdjustment(1001));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.WithOomScoreAdjustment(-1001));
        Assert.Throws<ArgumentException>(() => builder.WithProcessors());
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.WithProcessors(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.WithProcessors(8192));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.WithScheduling((SchedulingPolicy)4));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.WithScheduling(SchedulingPolicy.Other, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.WithScheduling(SchedulingPolicy.Fifo, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.WithScheduling(SchedulingPolicy.Fifo, 100));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.WithIoPriority((IoPriorityClass)4));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.WithIoPriority(IoPriorityClass.BestEffort, 8));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.WithIoPriority(IoPriorityClass.BestEffort, -1));
    }

    private static async Task<string> AllowedAsync(params int[] processors) =>
        Processes.Status(await Sandbox.Host("cat", "/proc/self/status").WithProcessors(processors).OutputAsync())["Cpus_allowed_list"];

    private static List<int> HostProcessors()
    {
        List<int> processors = [];
        foreach (string range in Processes.Status(File.ReadAllText("/proc/self/status"))["Cpus_allowed_list"].Split(','))
        {
            int[] ends = [.. range.Split('-').Select(end => int.Parse(end, CultureInfo.InvariantCulture))];
            processors.AddRange(Enumerable.Range(ends[0], ends[^1] - ends[0] + 1));
        }

        return processors;
    }

    private static string[] Values(string limits, string name) =>
        limits.Split('\n').Single(line => line.StartsWith(name + " ", StringComparison.Ordinal))[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[..2];
}
