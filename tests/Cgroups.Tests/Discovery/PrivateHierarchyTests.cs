namespace Isolation.Cgroups.Tests;

public class PrivateHierarchyTests
{
    [Theory]
    [InlineData("net_cls", "", "cgroup:net_cls,net_prio", "/")] // as distributions mount them
    [InlineData("net_cls", "7:net_prio:/", "cgroup:net_cls", "/")] // the other one is taken
    [InlineData("net_prio", "7:net_prio,perf_event:/a:b", "cgroup:net_prio,perf_event", "/a:b")] // not mounted here, but there
    [InlineData("hugetlb", "", "cgroup:hugetlb", "/")]
    public void A_controller_is_in_the_hierarchy_that_it_has_or_in_the_customary_one(string controller, string own, string path, string ownPath)
    {
        CgroupPlace place = PrivateHierarchy.PlaceOf(controller, OwnGroups.Parse(own), _ => true);

        Assert.Equal((path, ownPath, CgroupVersion.V1), (place.Mount.MountPoint, place.OwnPath, place.Mount.Version));
        Assert.Equal(ownPath == "/" ? path : path + ownPath, place.OwnDirectory);
    }

    [Fact]
    public void One_that_the_other_half_is_mounted_of_is_alone() =>
        Assert.Equal("cgroup:net_cls", PrivateHierarchy.PlaceOf("net_cls", OwnGroups.Parse(""), name => name != "net_prio").Mount.MountPoint);

    [Theory]
    [InlineData("cgroup:net_cls,net_prio/isolation-1", true)]
    [InlineData("cgroup:net_cls", true)]
    [InlineData("cgroup:none,name=x/isolation-1", false)] // no controller is of that name: such an option is never given to the kernel
    [InlineData("cgroup:", false)]
    [InlineData("cgroup:/isolation-1", false)]
    [InlineData("/sys/fs/cgroup/isolation-1", false)]
    public void Only_what_names_controllers_is_one(string path, bool isOne) => Assert.Equal(isOne, PrivateHierarchy.IsPath(path));

    [Fact]
    public void A_hierarchy_that_the_kernel_has_not_is_gone_and_is_not_made_to_look() => Assert.True(PrivateHierarchy.IsGone("cgroup:rdma,perf_event/isolation-1"));

    [Fact]
    public void What_the_kernel_has_not_is_not_mounted()
    {
        CgroupException exception = Assert.Throws<CgroupException>(() => Machines.Hybrid.MountPrivately(CgroupController.Rdma));

        Assert.Equal(CgroupErrorReason.ControllerUnavailable, exception.Reason);
        Assert.Contains("has no controller 'rdma'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_mounted_stays_where_it_is() => Assert.Same(Machines.Hybrid, Machines.Hybrid.MountPrivately(CgroupController.Memory));
}
