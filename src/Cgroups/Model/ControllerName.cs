namespace Isolation.Cgroups;

/// <summary>The kernel's names of the controllers, which are its files' prefixes too.</summary>
internal static class ControllerName
{
    private static readonly (CgroupController Controller, string V1, string? V2)[] Table =
    [
        (CgroupController.Cpu, "cpu", "cpu"),
        (CgroupController.CpuAccounting, "cpuacct", null),
        (CgroupController.Cpuset, "cpuset", "cpuset"),
        (CgroupController.Memory, "memory", "memory"),
        (CgroupController.Io, "blkio", "io"),
        (CgroupController.Pids, "pids", "pids"),
        (CgroupController.Devices, "devices", null),
        (CgroupController.Freezer, "freezer", null),
        (CgroupController.Hugetlb, "hugetlb", "hugetlb"),
        (CgroupController.NetClass, "net_cls", null),
        (CgroupController.NetPriority, "net_prio", null),
        (CgroupController.PerfEvent, "perf_event", null),
        (CgroupController.Rdma, "rdma", "rdma"),
        (CgroupController.Misc, "misc", "misc"),
        (CgroupController.Pressure, "pressure", null),
    ];

    internal static IEnumerable<CgroupController> All => Table.Select(row => row.Controller);

    internal static string V1(CgroupController controller) => Table[(int)controller].V1;

    /// <summary>Null where no v2 controller has this name: each group has it built in, or nothing has.</summary>
    internal static string? V2(CgroupController controller) => Table[(int)controller].V2;

    /// <summary>By the name that <c>/proc/cgroups</c> and the mount options of v1 have; null for one that is not known here.</summary>
    internal static CgroupController? Find(string v1Name) => Table.Where(row => row.V1 == v1Name).Select(row => (CgroupController?)row.Controller).FirstOrDefault();
}
