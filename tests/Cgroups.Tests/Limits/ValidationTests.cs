namespace Isolation.Cgroups.Tests;

public class ValidationTests
{
    public static TheoryData<string, ResourceLimits> Wrong => new()
    {
        { "Memory", new() { Memory = 0 } },
        { "Memory", new() { Memory = -1 } },
        { "MemoryAndSwap", new() { MemoryAndSwap = 100 } },
        { "MemoryAndSwap", new() { Memory = 100, MemoryAndSwap = 99 } },
        { "MemorySwappiness", new() { MemorySwappiness = 101 } },
        { "Cpus", new() { Cpus = 0 } },
        { "Cpus", new() { Cpus = double.NaN } },
        { "CpuPeriod", new() { CpuPeriod = TimeSpan.FromMilliseconds(100) } },
        { "CpuPeriod", new() { Cpus = 1, CpuPeriod = TimeSpan.FromSeconds(2) } },
        { "Cpus", new() { Cpus = 0.005, CpuPeriod = TimeSpan.FromMilliseconds(100) } },
        { "CpuShares", new() { CpuShares = 1 } },
        { "CpuWeight", new() { CpuWeight = 10001 } },
        { "CpuWeight", new() { CpuShares = 2, CpuWeight = 1 } },
        { "CpusetCpus", new() { CpusetCpus = "" } },
        { "CpusetCpus", new() { CpusetCpus = "3-1" } },
        { "CpusetMems", new() { CpusetMems = "0;1" } },
        { "Pids", new() { Pids = 0 } },
        { "IoWeight", new() { IoWeight = 0 } },
        { "IoDevices", new() { IoDevices = [new(new(8, 0)) { ReadBytesPerSecond = 0 }] } },
        { "Hugetlb", new() { Hugetlb = [new(3 << 20, 1)] } },
        { "Rdma", new() { Rdma = [new("x y", 1, 1)] } },
        { "Rdma", new() { Rdma = [new("x", null, null)] } },
        { "Misc", new() { Misc = [new("", 1)] } },
        { "UtilizationAtLeast", new() { UtilizationAtLeast = 50, UtilizationAtMost = 10 } },
        { "Unified", new() { Unified = System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty.Add("cgroup.procs", "1") } },
        { "Unified", new() { Unified = System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty.Add("../memory.max", "1") } },
    };

    [Theory, MemberData(nameof(Wrong))]
    public void What_is_out_of_range_is_named(string name, ResourceLimits limits)
    {
        ArgumentException exception = Assert.Throws<ArgumentException>(() => LimitValidation.Check(limits));

        Assert.Equal(name, exception.ParamName);
    }

    [Fact]
    public void The_ends_of_the_ranges_are_in_them() => LimitValidation.Check(new()
    {
        Memory = 1, MemoryAndSwap = 1, MemorySwappiness = 100, Cpus = 1, CpuPeriod = TimeSpan.FromMilliseconds(1), CpuShares = 262144, CpusetCpus = "0,2-3", Pids = 1, IoWeight = 10000,
    });

    [Fact]
    public void A_group_of_nothing_is_none() => Assert.Throws<ArgumentException>("limits", () => Cgroup.Create("isolation-nothing", ResourceLimits.None));

    [Fact]
    public void A_controller_that_was_named_must_be_there()
    {
        CgroupException exception = Assert.Throws<CgroupException>(() => Cgroup.Create("isolation-nothing", ResourceLimits.None, new CgroupOptions { System = Machines.Pure, Controllers = [CgroupController.NetClass] }));

        Assert.Equal(CgroupErrorReason.ControllerUnavailable, exception.Reason);
        Assert.Contains("net_cls", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/a")]
    [InlineData("a\nb")]
    [InlineData("..")]
    public void A_name_with_a_slash_is_no_name(string name) => Assert.Throws<ArgumentException>(() => Cgroup.Create(name, ResourceLimits.None));
}
