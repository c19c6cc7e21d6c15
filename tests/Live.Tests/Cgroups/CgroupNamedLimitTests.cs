using System.Diagnostics;
using Isolation.Cgroups;

namespace Isolation.Live.Tests;

/// <summary>Limits of what has a name: sizes of huge pages, devices of RDMA, scalar resources, network interfaces.</summary>
[Trait("Lane", "VM")]
public sealed class CgroupNamedLimitTests
{
    private const long PageSize = 2 << 20;

    [Fact]
    public async Task Huge_pages_are_limited_and_counted()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { Hugetlb = [new(PageSize, 2 * PageSize)] }, CgroupController.Hugetlb);
        Assert.Equal((0, 2 * PageSize), (Figures(scope).Usage, Figures(scope).Limit));
        Assert.SkipUnless(File.ReadAllText("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages").Trim() != "0", "this machine has reserved no huge pages: the limit was read back, and could not be met");
        Lane.RequiresRoot("hugetlbfs is not mounted in a user namespace");
        using TemporaryDirectory directory = new();

        // Files of huge pages are made of pages at once; the mount goes with its namespace.
        (int exitCode, string output) = await scope.RunAsync($"exec unshare -m sh -c 'mount -t hugetlbfs none {directory.Path} && fallocate -l 4M {directory["two"]} && echo two; fallocate -l 2M {directory["third"]} || echo refused; cat /sys/fs/cgroup/{scope.Group.Name}/hugetlb.2MB.current'");

        Assert.Equal($"two\nrefused\n{2 * PageSize}\n", output);
        Assert.Equal(0, exitCode);
        Assert.InRange(Figures(scope).LimitHits!.Value, 1, 100);
    }

    [Fact]
    public void Of_huge_pages_that_the_machine_has_not_the_error_says_so()
    {
        CgroupScope.Requires(CgroupController.Hugetlb);
        CgroupException exception = Assert.Throws<CgroupException>(() => Cgroup.Create(CgroupScope.NewName(), new() { Hugetlb = [new(1L << 40, 1L << 40)] }));

        Assert.Equal(CgroupErrorReason.NotSupported, exception.Reason);
        Assert.Contains("hugetlb.1024GB", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_rdma_device_is_limited_and_an_unknown_one_is_an_error()
    {
        CgroupScope.Requires(CgroupController.Rdma);
        CgroupException exception = Assert.Throws<CgroupException>(() => Cgroup.Create(CgroupScope.NewName(), new() { Rdma = [new("no-such0", 1, null)] }));
        Assert.Equal(CgroupErrorReason.InvalidValue, exception.Reason);
        Assert.Contains("no-such0", exception.Message, StringComparison.Ordinal);

        Assert.SkipUnless(Directory.Exists("/sys/class/infiniband/rxe0"), "this machine has no RDMA device rxe0");
        await using CgroupScope scope = CgroupScope.Create(new() { Rdma = [new("rxe0", 2, 100)] }, CgroupController.Rdma);
        Assert.Equal("rxe0 hca_handle=2 hca_object=100", scope.File(CgroupController.Rdma, "rdma.max"));
        scope.Group.Update(new() { Rdma = [new("rxe0", ResourceLimits.Unlimited, null)] });
        Assert.Equal("rxe0 hca_handle=max hca_object=100", scope.File(CgroupController.Rdma, "rdma.max"));

        // A context is what each use of a device begins with (IB_USER_VERBS_CMD_GET_CONTEXT of rdma/ib_user_verbs.h), and takes a handle.
        const string Context = """perl -e 'open(my $f, "+<", "/dev/infiniband/uverbs0") or die; my $answer = "\0" x 64; print defined syswrite($f, pack("LSS", 0, 4, 2) . pack("P", $answer)) ? "taken" : "$!"; print ", ", grep /rxe0/, <STDIN>' < """;
        string inUse = Path.Join(scope.Directory(CgroupController.Rdma), "rdma.current");
        Assert.Equal("taken, rxe0 hca_handle=1 hca_object=0 \n", (await scope.RunAsync(Context + inUse)).Output);
        scope.Group.Update(new() { Rdma = [new("rxe0", 0, null)] });
        Assert.Equal("Resource temporarily unavailable, rxe0 hca_handle=0 hca_object=0 \n", (await scope.RunAsync(Context + inUse)).Output);
    }

    [Fact]
    public void A_scalar_resource_that_the_machine_has_not_is_an_error()
    {
        CgroupScope.Requires(CgroupController.Misc);
        CgroupException exception = Assert.Throws<CgroupException>(() => Cgroup.Create(CgroupScope.NewName(), new() { Misc = [new("no-such", 1)] }));

        Assert.Equal(CgroupErrorReason.InvalidValue, exception.Reason);
        Assert.Contains("no-such 1", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Packets_are_marked_on_v1_and_on_v2_the_error_says_what_there_is_instead()
    {
        CgroupScope.RequiresGroups();
        ResourceLimits limits = new() { NetClass = 0x100001, NetPriorities = [new("lo", 3)] };
        if (CgroupSystem.Current.Mode == CgroupMode.V2)
        {
            CgroupException exception = Assert.Throws<CgroupException>(() => Cgroup.Create(CgroupScope.NewName(), limits));
            Assert.Equal(CgroupErrorReason.NotSupported, exception.Reason);
            Assert.Contains("nft socket cgroupv2", exception.Message, StringComparison.Ordinal);
            return;
        }

        await using CgroupScope scope = CgroupScope.Create(limits, CgroupController.NetClass, CgroupController.NetPriority);
        Assert.Equal(0x100001, scope.Number(CgroupController.NetClass, "net_cls.classid"));
        Assert.Contains("lo 3", scope.File(CgroupController.NetPriority, "net_prio.ifpriomap").Split('\n'));
    }

    [Fact]
    public async Task An_event_of_the_processors_is_counted_for_a_group()
    {
        Lane.RequiresRoot("the events of all processes on a processor take CAP_PERFMON (perf_event_open(2))");
        await using CgroupScope scope = CgroupScope.Create(ResourceLimits.None, CgroupController.PerfEvent);
        await using CgroupScope idle = CgroupScope.Create(ResourceLimits.None, CgroupController.PerfEvent);

        // PERF_COUNT_SW_CPU_CLOCK on processor 0, with PERF_FLAG_PID_CGROUP: nanoseconds.
        string number = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "241" : "298";
        string count = $"my @c = map {{ open(my $d, '<', $_) or die; my $a = pack('LLQx48', 1, 64, 0); my $f = syscall({number}, $a, fileno($d), 0, -1, 4); die $! if $f < 0; open(my $c, '<&=', $f); $c }} @ARGV; select(undef, undef, undef, 0.3); for (@c) {{ sysread($_, my $v, 8); print unpack('Q', $v), ' ' }}";
        using Process process = scope.Start("exec taskset -c 0 sh -c 'while :; do :; done'");
        await CgroupScope.UntilAsync(() => File.ReadAllText($"/proc/{process.Id}/comm") == "sh\n");
        (int code, string output, string error) = await Sandbox.OnHostAsync("perl", "-e", count, scope.Directory(CgroupController.PerfEvent), idle.Directory(CgroupController.PerfEvent));
        process.Kill();

        Assert.True(code == 0, error);
        long[] nanoseconds = [.. output.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => long.Parse(word, System.Globalization.CultureInfo.InvariantCulture))];
        Assert.InRange(nanoseconds[0], 1_000_000, 10_000_000_000);
        Assert.Equal(0, nanoseconds[1]);
    }

    private static CgroupHugetlbStats Figures(CgroupScope scope) => scope.Group.ReadStats().Hugetlb!.Value.Single(entry => entry.PageSize == PageSize);
}
