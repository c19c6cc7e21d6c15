namespace Isolation.Cgroups;

/// <summary>Where a controller is to be found on this machine.</summary>
/// <param name="Controller">Which.</param>
/// <param name="Version">The version whose hierarchy has it; null where none has.</param>
/// <param name="MountPoint">Where that hierarchy is mounted; null where it is not.</param>
/// <param name="Absence">Why it cannot be used, and the remedy; null where it can.</param>
public sealed record CgroupControllerSupport(CgroupController Controller, CgroupVersion? Version, string? MountPoint, string? Absence)
{
    /// <summary>Whether there is a hierarchy to use it in. Whether this process may is known when a group is made.</summary>
    public bool IsMounted => MountPoint is not null;
}
