namespace Isolation.Cgroups;

/// <summary>Decides who makes a group, and has systemd do its part.</summary>
internal static class GroupDrivers
{
    /// <exception cref="ArgumentException">The parent is none of that driver's.</exception>
    internal static void Check(CgroupDriver driver, string? parent, string? parameter)
    {
        if (driver is < CgroupDriver.Automatic or > CgroupDriver.Systemd) throw new ArgumentOutOfRangeException(parameter, driver, "There is no such driver of control groups.");
        if (driver == CgroupDriver.Systemd && parent is not null) SliceName.Check(parent, parameter);
    }

    /// <summary>The options by which the group is made as a directory, once systemd has done what is its part.</summary>
    /// <exception cref="CgroupException">systemd is wanted and does not.</exception>
    internal static CgroupOptions Prepare(CgroupOptions options, IReadOnlyCollection<CgroupController> controllers)
    {
        if (!TakesSystemd(options, controllers)) return options;
        if (options.System.Mode != CgroupMode.V2)
            throw new CgroupException(CgroupErrorReason.NotSupported, $"systemd is asked for groups of v2 alone, and here is {options.System.Mode}", remedy: "choose CgroupDriver.Cgroupfs, or boot with systemd.unified_cgroup_hierarchy=1");
        CgroupPlace place = ProcessScope.Enter(options.System.Unified!, options.Parent);
        return options with { Parent = null, System = options.System.MovedTo(place) };
    }

    private static bool TakesSystemd(CgroupOptions options, IReadOnlyCollection<CgroupController> controllers) => options.Driver switch
    {
        CgroupDriver.Systemd => true,
        CgroupDriver.Cgroupfs => false,
        _ => options.Parent is null && options.System.Mode == CgroupMode.V2
            && (options.System.HasMoved || !options.System.Parents.MayMake(options.System.Unified!, controllers) && SystemdClient.Find(out _) is not null),
    };
}
