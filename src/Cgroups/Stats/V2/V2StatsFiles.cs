namespace Isolation.Cgroups;

/// <summary>
/// Which files of a v2 group have figures, controller by controller. <c>cpu.stat</c> and the pressure are there whichever
/// controllers are enabled; the rest does not exist where its own is not.
/// </summary>
internal static class V2StatsFiles
{
    private static readonly StatsFile[] Pressure = [.. V2CpuFiles.All.Concat(V2MemoryFiles.All).Concat(V2IoFiles.All).Where(file => file.Name.EndsWith(".pressure", StringComparison.Ordinal))];

    /// <param name="controller">Whose.</param>
    /// <param name="names">Lists the files in the group's directory, for controllers that name them after the machine.</param>
    internal static StatsFile[] Of(CgroupController controller, Func<IEnumerable<string>> names) => controller switch
    {
        CgroupController.Cpu or CgroupController.CpuAccounting => V2CpuFiles.All,
        CgroupController.Memory => V2MemoryFiles.All,
        CgroupController.Io => V2IoFiles.All,
        CgroupController.Pids => PidsFiles.All,
        CgroupController.Hugetlb => V2HugetlbFiles.In(names()),
        CgroupController.Rdma => RdmaFiles.All,
        CgroupController.Misc => MiscControllerFiles.All,
        CgroupController.Pressure => Pressure,
        _ => [],
    };
}
