namespace Isolation.Cgroups.Tests;

public class CgroupSystemTests
{
    [Fact]
    public void Each_controller_is_where_it_is_mounted()
    {
        CgroupSystem system = Machines.Hybrid;

        Assert.Equal(CgroupMode.Hybrid, system.Mode);
        Assert.Equal(new(CgroupController.Memory, CgroupVersion.V1, "/sys/fs/cgroup/memory", null), system[CgroupController.Memory]);
        Assert.Equal("/sys/fs/cgroup/cpu,cpuacct", system[CgroupController.CpuAccounting].MountPoint);
        Assert.Equal("/sys/fs/cgroup/unified", system[CgroupController.Hugetlb].MountPoint);
        Assert.Equal(CgroupVersion.V2, system[CgroupController.Hugetlb].Version);
    }

    [Fact]
    public void What_is_absent_is_absent_for_a_reason()
    {
        Assert.Contains("mount -t cgroup -o net_cls", Machines.Hybrid[CgroupController.NetClass].Absence, StringComparison.Ordinal);
        Assert.Contains("has no controller 'rdma'", Machines.Hybrid[CgroupController.Rdma].Absence, StringComparison.Ordinal);
        Assert.Contains("cgroup_disable=hugetlb", Machines.None[CgroupController.Hugetlb].Absence, StringComparison.Ordinal);
        Assert.Contains("no controller 'net_cls'", Machines.Pure[CgroupController.NetClass].Absence, StringComparison.Ordinal);
        Assert.All(Machines.None.Controllers, controller => Assert.False(controller.IsMounted));
    }

    [Fact]
    public void Of_v2_all_are_in_one_hierarchy_and_some_are_built_in()
    {
        CgroupSystem system = Machines.Pure;

        Assert.Equal(CgroupMode.V2, system.Mode);
        foreach (CgroupController controller in (CgroupController[])[CgroupController.Memory, CgroupController.Io, CgroupController.CpuAccounting, CgroupController.Freezer, CgroupController.Devices])
            Assert.Equal("/sys/fs/cgroup", system[controller].MountPoint);
    }

    [Fact]
    public void The_group_of_this_process_is_found_where_its_part_of_the_tree_is_mounted()
    {
        Assert.Equal("/sys/fs/cgroup/pids/user", Machines.Hybrid.PlaceOf(CgroupController.Pids)!.OwnDirectory);
        Assert.Equal("/sys/fs/cgroup/memory/a:b/c", Machines.Hybrid.PlaceOf(CgroupController.Memory)!.OwnDirectory);
        Assert.Equal("/sys/fs/cgroup/unified/user.slice", Machines.Hybrid.PlaceOf(CgroupController.Hugetlb)!.OwnDirectory);
        Assert.Equal("/sys/fs/cgroup/pids/inner", Machines.Bound.PlaceOf(CgroupController.Pids)!.OwnDirectory);
        Assert.True(Machines.Bound.PlaceOf(CgroupController.Memory)!.Mount.IsReadOnly);
        Assert.Null(Machines.Bound.PlaceOf(CgroupController.Pids)!.DirectoryOf("/other"));
        Assert.Null(Machines.Bound.PlaceOf(CgroupController.Pids)!.DirectoryOf("/../x"));
    }

    [Fact]
    public void Where_this_process_has_made_room_its_group_is_the_one_above()
    {
        CgroupSystem system = Machines.Of("30 22 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/user/isolation-host\n", "", "pids");

        Assert.Equal("/sys/fs/cgroup/user", system.PlaceOf(CgroupController.Pids)!.OwnDirectory);
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("1:cpu")]
    [InlineData("1:cpu:relative")]
    public void A_line_of_proc_self_cgroup_that_is_none_is_named(string line)
    {
        CgroupException exception = Assert.Throws<CgroupException>(() => OwnGroups.Parse("0::/\n" + line + "\n"));

        Assert.Equal(CgroupErrorReason.Malformed, exception.Reason);
        Assert.Contains(line, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_of_proc_cgroups_that_is_none_is_named() =>
        Assert.Contains("cpu 1", Assert.Throws<CgroupException>(() => KernelControllers.Parse("#head\ncpu 1\n")).Message, StringComparison.Ordinal);

    [Fact]
    public void Of_two_mounts_of_a_hierarchy_the_one_that_can_be_written_is_taken()
    {
        CgroupSystem system = Machines.Of("""
            34 30 0:31 / /ro rw - tmpfs tmpfs rw
            35 30 0:31 / /first ro,relatime - cgroup2 cgroup2 rw
            36 30 0:31 / /second rw,relatime - cgroup2 cgroup2 rw
            """, "0::/x\n", "", "pids");

        Assert.Equal("/second/x", system.PlaceOf(CgroupController.Pids)!.OwnDirectory);
    }
}
