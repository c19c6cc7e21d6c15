using System.Text;

namespace Isolation.Cgroups.Tests.Stats;

/// <summary>One file's text through its parser.</summary>
internal static class Reading
{
    private static readonly string[] HugetlbNames =
    [
        "cgroup.procs", "hugetlb.2MB.usage_in_bytes", "hugetlb.2MB.rsvd.usage_in_bytes", "hugetlb.1GB.usage_in_bytes", "hugetlb.1GB.rsvd.usage_in_bytes",
        "hugetlb.2MB.current", "hugetlb.2MB.rsvd.current", "hugetlb.1GB.current", "hugetlb.1GB.rsvd.current",
    ];

    internal static IEnumerable<StatsFile> AllFiles(CgroupVersion version)
    {
        foreach (CgroupController controller in Enum.GetValues<CgroupController>())
        {
            foreach (StatsFile file in version == CgroupVersion.V1 ? V1StatsFiles.Of(controller, () => HugetlbNames) : V2StatsFiles.Of(controller, () => HugetlbNames))
            {
                for (StatsFile? one = file; one is not null; one = one.Otherwise) yield return one;
            }
        }
    }

    internal static CgroupStats V1(params (string File, string Text)[] files) => Of(CgroupVersion.V1, CgroupStatsDetails.None, files);

    internal static CgroupStats V2(params (string File, string Text)[] files) => Of(CgroupVersion.V2, CgroupStatsDetails.None, files);

    internal static CgroupStats Of(CgroupVersion version, CgroupStatsDetails details, params (string File, string Text)[] files)
    {
        StatsDraft draft = new();
        draft.Begin(details);
        foreach ((string name, string text) in files)
        {
            StatsFile file = AllFiles(version).First(file => file.Name == name);
            file.Parse(name, Encoding.UTF8.GetBytes(text), draft);
        }

        return draft.Finish();
    }
}
