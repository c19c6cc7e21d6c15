namespace Isolation.Cgroups;

/// <summary>Which files of a v1 group have figures, controller by controller.</summary>
internal static class V1StatsFiles
{
    /// <param name="controller">Whose.</param>
    /// <param name="names">Lists the files in the group's directory, for controllers that name them after the machine.</param>
    internal static StatsFile[] Of(CgroupController controller, Func<IEnumerable<string>> names) => controller switch
    {
        CgroupController.Cpu => V1CpuFiles.Cpu,
        CgroupController.CpuAccounting => V1CpuFiles.Accounting,
        CgroupController.Memory => V1MemoryFiles.All,
        CgroupController.Io => V1IoFiles.All,
        CgroupController.Pids => PidsFiles.All,
        CgroupController.Hugetlb => V1HugetlbFiles.In(names()),
        CgroupController.Rdma => RdmaFiles.All,
        CgroupController.Misc => MiscControllerFiles.All,
        _ => [],
    };
}
