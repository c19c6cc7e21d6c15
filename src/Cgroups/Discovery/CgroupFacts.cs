using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>What the kernel says about its control groups, as text: what discovery reads, and a test may make up.</summary>
/// <param name="MountInfo"><c>/proc/self/mountinfo</c>.</param>
/// <param name="OwnGroups"><c>/proc/self/cgroup</c>.</param>
/// <param name="Controllers"><c>/proc/cgroups</c>; empty where a kernel has v2 alone.</param>
/// <param name="V2Controllers">Of the root of the v2 mount, <c>cgroup.controllers</c>; empty without one.</param>
internal sealed record CgroupFacts(string MountInfo, string OwnGroups, string Controllers, Func<string, string> V2Controllers)
{
    /// <summary>Why systemd is not to be asked for groups; null where it is.</summary>
    internal string? SystemdAbsence { get; init; }

    internal static CgroupFacts Read()
    {
        SystemdClient.Find(out string? absence);
        return new(SmallFile.ReadText("/proc/self/mountinfo"), SmallFile.ReadText("/proc/self/cgroup"), SmallFile.ReadText("/proc/cgroups"), mount => SmallFile.ReadText(Path.Join(mount, "cgroup.controllers"))) { SystemdAbsence = absence };
    }
}
