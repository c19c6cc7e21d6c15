namespace Isolation.Cgroups.Tests;

/// <summary>What machines say of their control groups.</summary>
internal static class Machines
{
    private const string ProcCgroups = """
        #subsys_name	hierarchy	num_cgroups	enabled
        cpuset	3	2	1
        cpu	1	2	1
        cpuacct	1	2	1
        blkio	7	2	1
        memory	4	19	1
        devices	5	2	1
        freezer	6	2	1
        net_cls	0	1	1
        hugetlb	0	1	0
        pids	8	2	1

        """;

    /// <summary>v1 with a v2 hierarchy beside it, which has hugetlb; net_cls mounted nowhere.</summary>
    internal static CgroupSystem Hybrid { get; } = Of("""
        22 1 8:1 / / rw,relatime - ext4 /dev/root rw
        30 22 0:27 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
        31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:3 master:1 - cgroup cgroup rw,cpu,cpuacct
        33 30 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
        34 30 0:31 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
        36 30 0:33 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer
        37 30 0:34 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio
        38 30 0:35 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
        39 30 0:36 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
        40 30 0:37 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
        """, "9:name=systemd:/\n8:pids:/user\n4:memory:/a:b/c\n3:cpuset:/\n1:cpu,cpuacct:/\n0::/user.slice\n", ProcCgroups, "hugetlb");

    /// <summary>As systemd has it.</summary>
    internal static CgroupSystem Pure { get; } = Of("""
        22 1 8:1 / / rw,relatime - ext4 /dev/root rw
        30 22 0:27 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
        """, "0::/user.slice/user-1000.slice/session-1.scope\n", "", "cpuset cpu io memory hugetlb pids rdma misc");

    /// <summary>In a container whose part of v1 was bound read-only.</summary>
    internal static CgroupSystem Bound { get; } = Of("""
        34 30 0:31 /docker/0123 /sys/fs/cgroup/memory ro,relatime - cgroup cgroup rw,memory
        35 30 0:32 /docker/0123 /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
        """, "4:memory:/docker/0123/inner\n8:pids:/docker/0123/inner\n", ProcCgroups, "");

    internal static CgroupSystem None { get; } = Of("22 1 8:1 / / rw,relatime - ext4 /dev/root rw\n", "0::/\n", ProcCgroups, "");

    internal static CgroupSystem Of(string mounts, string own, string controllers, string v2) => CgroupSystem.Of(new(mounts, own, controllers, _ => v2));
}
