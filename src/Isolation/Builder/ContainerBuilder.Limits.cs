using Isolation.Cgroups;

namespace Isolation;

public sealed partial class ContainerBuilder
{
    /// <summary>Limits memory, page cache and the private tmpfs included: who needs more is killed, and the result says so.</summary>
    /// <param name="bytes">One or more, or <see cref="ResourceLimits.Unlimited"/>.</param>
    public ContainerBuilder WithMemoryLimit(long bytes) => Limit(limits => limits with { Memory = bytes });

    /// <summary>Limits memory and swap together.</summary>
    /// <param name="bytes">At least the memory limit; the same as that for no swap at all, or <see cref="ResourceLimits.Unlimited"/>.</param>
    public ContainerBuilder WithMemorySwapLimit(long bytes) => Limit(limits => limits with { MemoryAndSwap = bytes });

    /// <summary>What is left to the container when the machine runs short of memory, as far as possible.</summary>
    /// <param name="bytes">Zero or more.</param>
    public ContainerBuilder WithMemoryReservation(long bytes) => Limit(limits => limits with { MemoryReservation = bytes });

    /// <summary>Limits processor time.</summary>
    /// <param name="cpus">Processors' worth of time: 0.5 is half of one; or <see cref="ResourceLimits.Unlimited"/>.</param>
    public ContainerBuilder WithCpuLimit(double cpus) => Limit(limits => limits with { Cpus = cpus });

    /// <summary>A weight against others where processors are short.</summary>
    /// <param name="shares">2 to 262144; a group without has 1024.</param>
    public ContainerBuilder WithCpuShares(int shares) => Limit(limits => limits with { CpuShares = shares });

    /// <summary>Which processors and memory nodes may be used (cpuset(7)).</summary>
    /// <param name="cpus">Such as <c>0-3,8</c>; null for any.</param>
    /// <param name="mems">Memory nodes; null for any.</param>
    public ContainerBuilder WithCpuset(string? cpus, string? mems = null) => Limit(limits => limits with { CpusetCpus = cpus, CpusetMems = mems });

    /// <summary>Limits the number of processes and threads.</summary>
    /// <param name="processes">One or more, or <see cref="ResourceLimits.Unlimited"/>.</param>
    public ContainerBuilder WithPidsLimit(long processes) => Limit(limits => limits with { Pids = processes });

    /// <summary>Limits the use of one block device.</summary>
    /// <param name="limit">Takes the place of an earlier one of the same device.</param>
    public ContainerBuilder WithIoLimit(IoDeviceLimit limit)
    {
        ArgumentNullException.ThrowIfNull(limit);
        return Limit(limits => limits with { IoDevices = limits.IoDevices.RemoveAll(other => other.Device == limit.Device).Add(limit) });
    }

    /// <summary>A weight against others where block devices are short.</summary>
    /// <param name="weight">1 to 10000; a group without has 100.</param>
    public ContainerBuilder WithBlkioWeight(int weight) => Limit(limits => limits with { IoWeight = weight });

    /// <summary>Limits memory in huge pages of one size.</summary>
    /// <param name="pageSize">Of a page, in bytes.</param>
    /// <param name="bytes">Of all pages together.</param>
    public ContainerBuilder WithHugetlbLimit(long pageSize, long bytes) =>
        Limit(limits => limits with { Hugetlb = limits.Hugetlb.RemoveAll(other => other.PageSize == pageSize).Add(new(pageSize, bytes)) });

    /// <summary>Which device files may be used, whatever is in <c>/dev</c>: of the rules that speak of a use the last holds, and without one it is denied.</summary>
    /// <param name="rules">For instance <see cref="DeviceRules.Default"/>, and then more.</param>
    public ContainerBuilder WithDevices(params IReadOnlyList<DeviceRule> rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        return Limit(limits => limits with { Devices = [.. rules] });
    }

    /// <summary>Marks what is sent over the network, for tc-cgroup(8) and iptables; v1 only.</summary>
    /// <param name="classId">Such as 0x00100001 for class 10:1.</param>
    public ContainerBuilder WithNetClass(uint classId) => Limit(limits => limits with { NetClass = classId });

    /// <summary>Limits the use of one RDMA device.</summary>
    /// <param name="limit">Takes the place of an earlier one of the same device.</param>
    public ContainerBuilder WithRdmaLimit(RdmaLimit limit)
    {
        ArgumentNullException.ThrowIfNull(limit);
        return Limit(limits => limits with { Rdma = limits.Rdma.RemoveAll(other => other.Device == limit.Device).Add(limit) });
    }

    /// <summary>Takes these limits in place of all that were said before.</summary>
    public ContainerBuilder WithLimits(ResourceLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        return Limit(_ => limits);
    }

    /// <summary>Limits that are applied as far as this machine and this user can; <see cref="Container.Enforcement"/> says which were not.</summary>
    public ContainerBuilder WithPreferredLimits(ResourceLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        return Set(Draft with { PreferredLimits = limits });
    }

    /// <summary>The control group to make the container's beneath.</summary>
    /// <param name="parent"><inheritdoc cref="CgroupOptions.Parent" path="/summary"/></param>
    public ContainerBuilder WithCgroupParent(string parent)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(parent);
        return Set(Draft with { CgroupParent = parent });
    }

    /// <summary>Who makes the container's control group: this process in the file system of the groups, or systemd.</summary>
    /// <remarks>See <see cref="CgroupDriver.Systemd"/> for what that moves, and how long a launch may wait for it.</remarks>
    public ContainerBuilder WithCgroupDriver(CgroupDriver driver) => Set(Draft with { CgroupDriver = driver });

    /// <summary>Controllers to have without a limit: for the figures of the result, or to change limits later.</summary>
    public ContainerBuilder WithCgroupControllers(params IReadOnlyList<CgroupController> controllers)
    {
        ArgumentNullException.ThrowIfNull(controllers);
        return Set(Draft with { CgroupControllers = [.. Draft.CgroupControllers.Union(controllers)] });
    }

    /// <summary>
    /// Controllers of v1 to mount for this program alone, where they are mounted nowhere: on most machines
    /// <see cref="CgroupController.NetClass"/>, which <see cref="WithNetClass"/> needs, and <see cref="CgroupController.NetPriority"/>.
    /// </summary>
    /// <remarks>See <see cref="CgroupSystem.MountPrivately"/> for what that takes, and what it keeps others from.</remarks>
    public ContainerBuilder WithCgroupMounts(params IReadOnlyList<CgroupController> controllers)
    {
        ArgumentNullException.ThrowIfNull(controllers);
        return Set(Draft with { CgroupMounts = [.. Draft.CgroupMounts.Union(controllers)] });
    }

    private ContainerBuilder Limit(Func<ResourceLimits, ResourceLimits> change) => Set(Draft with { Limits = change(Draft.Limits) });
}
