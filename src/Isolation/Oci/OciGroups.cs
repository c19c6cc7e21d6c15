using System.Collections.Immutable;
using Isolation.Cgroups;
using Isolation.Linux;

namespace Isolation;

/// <summary>The control groups of containers of an OCI runtime, where their configuration says (config-linux.md, "Cgroups Path").</summary>
internal static class OciGroups
{
    private static readonly CgroupController[] Wanted =
    [
        CgroupController.Cpu, CgroupController.CpuAccounting, CgroupController.Cpuset, CgroupController.Memory, CgroupController.Pids, CgroupController.Freezer, CgroupController.Devices,
        CgroupController.Io, CgroupController.Hugetlb, CgroupController.NetClass, CgroupController.NetPriority,
    ];

    /// <summary>What every container may use, whatever its rules: the devices that it is given, terminals, and making device files (runc has the same).</summary>
    private static readonly ImmutableArray<DeviceRule> Usual =
        [.. ((string[])["c *:* m", "b *:* m", "c 1:3 rwm", "c 1:8 rwm", "c 1:7 rwm", "c 5:0 rwm", "c 1:5 rwm", "c 1:9 rwm", "c 136:* rwm", "c 5:2 rwm"]).Select(DeviceRule.Allow)];

    /// <returns>Null where none can be made and none is needed: an unprivileged caller's, without limits.</returns>
    /// <exception cref="OciRuntimeException">It cannot be made.</exception>
    internal static Cgroup? Make(OciConfig config, string id)
    {
        string path = config.CgroupsPath ?? $"/isolation-runtime-{id}";
        string name = Path.GetFileName(path.TrimEnd('/'));
        string? parent = Path.GetDirectoryName(path.TrimEnd('/'));
        if (name.Length == 0 || path.Split('/').Any(part => part is "." or "..")) throw new OciRuntimeException($"$.linux.cgroupsPath: '{path}' is no path of a control group");
        CgroupSystem system = CgroupSystem.Current;
        try
        {
            ResourceLimits limits = config.Limits.Devices.IsEmpty ? config.Limits : config.Limits with { Devices = [.. config.Limits.Devices, .. Usual] };
            return Cgroup.Create(name, limits, new()
            {
                Parent = string.IsNullOrEmpty(parent) ? null : parent,
                Driver = CgroupDriver.Cgroupfs,
                Controllers = [.. Wanted.Where(controller => system[controller].Absence is null)],
            });
        }
        catch (CgroupException) when (!Environment.IsPrivilegedProcess && !LimitTranslation.ControllersOf(config.Limits with { Devices = [] }, system).Any())
        {
            return null;
        }
        catch (Exception exception) when (exception is CgroupException or ArgumentException)
        {
            throw new OciRuntimeException($"Cannot make the control group '{path}': {exception.Message}", exception);
        }
    }

    /// <exception cref="OciRuntimeException">It is gone.</exception>
    internal static Cgroup Open(ImmutableArray<string> directories, string id) =>
        (directories.IsEmpty ? null : Cgroup.Open(directories)) ?? throw new OciRuntimeException($"The container '{id}' has no control group");
}
