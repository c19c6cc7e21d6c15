namespace Isolation;

/// <summary>Who is run when, and whose memory it gets (config.md, "scheduler"; config-linux.md, "Memory Policy").</summary>
internal static class OciScheduling
{
    // linux/sched.h
    private const ulong ResetOnFork = 1;
    private const int Deadline = 6;

    private static readonly Dictionary<string, ulong> Flags = new(StringComparer.Ordinal)
    {
        ["SCHED_FLAG_RESET_ON_FORK"] = ResetOnFork, ["SCHED_FLAG_RECLAIM"] = 2, ["SCHED_FLAG_DL_OVERRUN"] = 4, ["SCHED_FLAG_KEEP_POLICY"] = 8,
        ["SCHED_FLAG_KEEP_PARAMS"] = 0x10, ["SCHED_FLAG_UTIL_CLAMP_MIN"] = 0x20, ["SCHED_FLAG_UTIL_CLAMP_MAX"] = 0x40,
    };

    private static readonly Dictionary<string, int> Policies = new(StringComparer.Ordinal)
    {
        ["SCHED_OTHER"] = 0, ["SCHED_FIFO"] = 1, ["SCHED_RR"] = 2, ["SCHED_BATCH"] = 3, ["SCHED_ISO"] = 4, ["SCHED_IDLE"] = 5, ["SCHED_DEADLINE"] = Deadline,
    };

    // linux/mempolicy.h
    private static readonly Dictionary<string, int> Modes = new(StringComparer.Ordinal)
    {
        ["MPOL_DEFAULT"] = 0, ["MPOL_PREFERRED"] = 1, ["MPOL_BIND"] = 2, ["MPOL_INTERLEAVE"] = 3, ["MPOL_LOCAL"] = 4, ["MPOL_PREFERRED_MANY"] = 5, ["MPOL_WEIGHTED_INTERLEAVE"] = 6,
    };

    private static readonly Dictionary<string, int> ModeFlags = new(StringComparer.Ordinal)
    {
        ["MPOL_F_NUMA_BALANCING"] = 1 << 13, ["MPOL_F_RELATIVE_NODES"] = 1 << 14, ["MPOL_F_STATIC_NODES"] = 1 << 15,
    };

    internal static IEnumerable<string> MemoryModes => Modes.Keys;

    internal static IEnumerable<string> MemoryFlags => ModeFlags.Keys;

    internal static ContainerSpec Apply(ContainerSpec spec, OciNode? node)
    {
        if (node is not { } scheduler) return spec;
        OciNode name = scheduler.Get("policy");
        if (!Policies.TryGetValue(name.Text(), out int policy)) throw name.Bad($"'{name.Text()}' is no policy: {string.Join(", ", Policies.Keys)}");
        ulong flags = 0;
        foreach (OciNode flag in scheduler.Find("flags").Items()) flags |= Flags.TryGetValue(flag.Text(), out ulong bit) ? bit : throw flag.Bad($"'{flag.Text()}' is no flag: {string.Join(", ", Flags.Keys)}");
        int? nice = scheduler.Find("nice") is { } given ? (int)given.Number(-20, 19) : null;
        int priority = (int)(scheduler.Find("priority")?.Number(0, 99) ?? 0);
        ulong runtime = Time("runtime"), deadline = Time("deadline"), period = Time("period");
        if (policy == Deadline && (runtime == 0 || deadline == 0)) throw scheduler.Bad("SCHED_DEADLINE needs a runtime and a deadline, in nanoseconds");
        if (policy != Deadline && (runtime | deadline | period) != 0) throw scheduler.Bad("a runtime, a deadline and a period are of SCHED_DEADLINE alone");
        if (flags == 0 && policy is not Deadline and not 4) return spec with { Nice = nice, Scheduling = policy == 0 ? null : ((SchedulingPolicy)policy, priority) };
        return spec with { SchedulerAttributes = new(name.Text(), policy, flags, nice ?? 0, (uint)priority, runtime, deadline, period) };

        ulong Time(string what) => scheduler.Find(what)?.Unsigned() ?? 0;
    }

    internal static MemoryPolicy? Memory(OciNode? node)
    {
        if (node is not { } policy || !policy.Members().Any()) return null;
        OciNode name = policy.Get("mode");
        if (!Modes.TryGetValue(name.Text(), out int mode)) throw name.Bad($"'{name.Text()}' is no mode: {string.Join(", ", Modes.Keys)}");
        foreach (OciNode flag in policy.Find("flags").Items()) mode |= ModeFlags.TryGetValue(flag.Text(), out int bit) ? bit : throw flag.Bad($"'{flag.Text()}' is no flag: {string.Join(", ", ModeFlags.Keys)}");
        return new(name.Text(), mode, policy.Find("nodes") is { } nodes && nodes.Text().Length > 0 ? [.. nodes.Checked(list => Numbers(list.Text(), "nodes"))] : []);
    }

    internal static List<int> Numbers(string list, string what) =>
        Cgroups.CpuList.TryParse(list.Replace(" ", "", StringComparison.Ordinal), out List<int> numbers) ? numbers : throw new FormatException($"'{list}' is no list of {what}, such as 0-3,8");
}
