using System.Collections.Immutable;
using System.Globalization;
using System.Text;
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

    /// <summary>Whether this process is root of the machine, and not of a user namespace, as under an engine that a user runs.</summary>
    internal static bool IsHostsRoot => Environment.IsPrivilegedProcess && HostFactsReader.Current.HasAllIds;

    /// <summary>Whether anything but devices is limited.</summary>
    internal static bool Limits(OciConfig config) => LimitTranslation.ControllersOf(config.Limits with { Devices = [] }, CgroupSystem.Current).Any();

    /// <param name="config">What of.</param>
    /// <param name="id">Of the container.</param>
    /// <param name="beforeMaking">Told their directories before the first is made, so that who is killed meanwhile leaves none that nobody knows of.</param>
    /// <returns>Null where none can be made and none is needed: an unprivileged caller's, without limits.</returns>
    /// <exception cref="OciRuntimeException">It cannot be made.</exception>
    internal static Cgroup? Make(OciConfig config, string id, Action<IReadOnlyList<string>> beforeMaking)
    {
        string path = config.CgroupsPath ?? $"/isolation-runtime-{id}";
        string name = Path.GetFileName(path.TrimEnd('/'));
        string? parent = Path.GetDirectoryName(path.TrimEnd('/'));
        if (name.Length == 0 || path.Split('/').Any(part => part is "." or "..")) throw new OciRuntimeException($"$.linux.cgroupsPath: '{path}' is no path of a control group");
        CgroupSystem system = CgroupSystem.Current;
        try
        {
            return Cgroup.Create(name, WithUsualDevices(config.Limits), new()
            {
                Parent = string.IsNullOrEmpty(parent) ? null : parent,
                Driver = CgroupDriver.Cgroupfs,
                BeforeMaking = beforeMaking,
                Controllers = [.. Wanted.Where(controller => system[controller].Absence is null)],
            });
        }
        catch (CgroupException) when (!IsHostsRoot && !Limits(config))
        {
            return null;
        }
        catch (Exception exception) when (exception is CgroupException or ArgumentException)
        {
            throw new OciRuntimeException($"Cannot make the control group '{path}': {exception.Message}", exception);
        }
    }

    /// <summary>A scope of systemd's with a process in it, and the group that it has (runc's docs/systemd.md): limits are written into the group, and systemd leaves them alone.</summary>
    /// <exception cref="OciRuntimeException">It cannot be made.</exception>
    internal static Cgroup MakeScope(OciConfig config, string id, int processId)
    {
        (string slice, string unit) = Unit(config.CgroupsPath, id);
        CgroupSystem system = CgroupSystem.Current;
        if (system.Mode != CgroupMode.V2 || system.Unified is not { } place)
            throw new OciRuntimeException($"systemd is asked for groups of v2 alone, and here is {system.Mode}: leave --systemd-cgroup out, or boot with systemd.unified_cgroup_hierarchy=1");
        SystemdClient manager = SystemdClient.Find(out string? absence) ?? throw new OciRuntimeException($"systemd cannot make a control group: {absence}. Leave --systemd-cgroup out (docker: native.cgroupdriver=cgroupfs; podman: --cgroup-manager cgroupfs)");
        Cgroup? group = null;
        try
        {
            manager.StartScope(unit, slice, processId);
            string path = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/cgroup")).First(line => line.StartsWith("0::", StringComparison.Ordinal))[3..];
            if (Path.GetFileName(path) != unit) throw new OciRuntimeException($"systemd made the scope '{unit}', but the process is in '{path}': run in the pid namespace of systemd");
            group = Cgroup.Open([(place with { OwnPath = path }).OwnDirectory]) ?? throw new OciRuntimeException($"The group of the scope '{unit}' is gone");
            ResourceLimits limits = WithUsualDevices(config.Limits);
            if (limits != ResourceLimits.None) group.Update(limits);
            return group;
        }
        catch (Exception exception) when (exception is CgroupException or SystemdException or IOException or ArgumentException)
        {
            group?.Close();
            throw new OciRuntimeException($"Cannot make the scope '{unit}' in '{slice}': {exception.Message}", exception);
        }
    }

    /// <summary>Whether systemd has made it: a user may not put processes into it that are in none of his own groups.</summary>
    internal static bool IsScope(string directory) => directory.EndsWith(".scope", StringComparison.Ordinal);

    /// <summary>Moves a further program into the groups of its container.</summary>
    /// <exception cref="LinuxException">It may not be moved.</exception>
    /// <exception cref="OciRuntimeException">Nor does systemd.</exception>
    internal static void Join(ImmutableArray<string> directories, int processId)
    {
        foreach (string directory in directories)
        {
            try
            {
                using FileDescriptor members = FileDescriptor.Open(directory + "/cgroup.procs", Abi.O_WRONLY);
                Descriptors.Write(members, Encoding.ASCII.GetBytes(processId.ToString(CultureInfo.InvariantCulture)));
            }
            catch (LinuxException exception) when (exception.Errno == Errno.EACCES && IsScope(directory) && SystemdClient.Find(out _) is { } manager)
            {
                // A user may move processes among groups of his own only (cgroup-v2.rst, "Delegation Containment"), and the caller's may be none.
                try
                {
                    manager.AttachProcess(Path.GetFileName(directory), processId);
                }
                catch (SystemdException refused)
                {
                    throw new OciRuntimeException($"Cannot move a program into '{directory}': {refused.Message}", refused);
                }
            }
        }
    }

    /// <summary>The groups that a further program enters.</summary>
    /// <param name="record">Of the container.</param>
    /// <param name="given">As <see cref="OciExecOptions.ControlGroups"/> has it.</param>
    /// <exception cref="OciRuntimeException">One is not there, or is not below the container's.</exception>
    internal static ImmutableArray<string> Entered(OciRecord record, IReadOnlyList<string> given)
    {
        if (given.Count == 0) return [.. record.Groups.Select(group => ContainerGroup.EnteredDirectory(group, record.ProcessId))];
        (string[] Controllers, string Path)[] below = [.. given.Select(text => text.Split(':') switch
        {
            [{ } path] => (Array.Empty<string>(), path),
            [{ Length: > 0 } controllers, { } path] => (controllers.Split(','), path),
            _ => throw new OciRuntimeException($"the control group '{text}' is to be [controller[,controller...]:]path"),
        })];
        Cgroup group = Open(record.Groups, record.Id);
        try
        {
            string[] known = [.. group.Parts.SelectMany(NamesOf)];
            if (below.SelectMany(one => one.Controllers).FirstOrDefault(name => !known.Contains(name)) is { } unknown)
                throw new OciRuntimeException($"the container '{record.Id}' has no control group of version 1 with the controller '{unknown}': {(known.Length == 0 ? "give the path alone" : string.Join(", ", known))}");
            return [.. group.Parts.Select(part => Below(part.Group.Path, below.LastOrDefault(one => one.Controllers.Length == 0 || NamesOf(part).Any(one.Controllers.Contains)).Path ?? ""))];
        }
        finally
        {
            group.Close();
        }

        static IEnumerable<string> NamesOf(GroupPart part) => part.Group.Version == CgroupVersion.V1 ? part.Controllers.Select(ControllerName.V1) : [];
    }

    private static string Below(string group, string path)
    {
        if (path.Split('/').Contains("..")) throw new OciRuntimeException($"the control group '{path}' is to be below the container's");
        string directory = path.Trim('/') is { Length: > 0 } name ? Path.Join(group, name) : group;
        return Directory.Exists(directory) ? directory : throw new OciRuntimeException($"there is no control group '{directory}'");
    }

    private static (string Slice, string Unit) Unit(string? path, string id)
    {
        if (path is null) return (DefaultSlice, $"isolation-runtime-{id}.scope");
        if (path.Split(':') is not [{ } slice, { } prefix, { Length: > 0 } name] || path.Contains('/'))
            throw new OciRuntimeException($"$.linux.cgroupsPath: '{path}' is to be slice:prefix:name where systemd makes control groups");
        if (slice.Length == 0) slice = DefaultSlice;
        if (!SliceName.IsValid(slice)) throw new OciRuntimeException($"$.linux.cgroupsPath: '{slice}' is no name of a slice, such as system.slice");
        return (slice, (prefix.Length == 0 ? name : $"{prefix}-{name}") + ".scope");
    }

    private static string DefaultSlice => IsHostsRoot ? "system.slice" : "user.slice";

    internal static ResourceLimits WithUsualDevices(ResourceLimits limits) => limits.Devices.IsEmpty ? limits : limits with { Devices = [.. limits.Devices, .. Usual] };

    /// <exception cref="OciRuntimeException">It is gone.</exception>
    internal static Cgroup Open(ImmutableArray<string> directories, string id) =>
        (directories.IsEmpty ? null : Cgroup.Open(directories)) ?? throw HasNone(id);

    internal static OciRuntimeException HasNone(string id) => new($"The container '{id}' has no control group");
}
