using System.Diagnostics;
using Isolation.Cgroups;

namespace Isolation.Live.Tests;

/// <summary>Controllers of v1 that are mounted for one program alone.</summary>
[Trait("Lane", "VM")]
[Collection(nameof(Alone))]
public sealed class PrivateHierarchyTests
{
    private const string Listen = """perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => 7777) or die; print qx(ss -Htln --tos)'""";

    private static readonly CgroupController[] Both = [CgroupController.NetClass, CgroupController.NetPriority];

    [Fact]
    public async Task What_a_container_sends_is_marked_and_nobody_sees_the_mount()
    {
        Requires();
        string mounts = File.ReadAllText("/proc/self/mountinfo");
        await using Container container = await Sandbox.HostShell($"{Listen}; read end").WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe)
            .WithNetClass(0x100001).WithPidsLimit(50).WithCgroupMounts(CgroupController.NetClass).BeginAsync();

        Assert.Contains("class_id:0x100001", await container.StandardOutput.ReadUntilAsync("\n"), StringComparison.Ordinal);

        Assert.Equal(mounts, File.ReadAllText("/proc/self/mountinfo"));
        Assert.Contains("net_cls,net_prio:/", File.ReadAllText($"/proc/{container.ProcessId}/cgroup"), StringComparison.Ordinal);
        IReadOnlyList<string> directories = container.Launch.Group!.Group.Directories;
        Assert.NotNull(Cgroup.Find([directories.Single(directory => directory.StartsWith("cgroup:net_cls,net_prio/", StringComparison.Ordinal))]));
        await container.UpdateLimitsAsync(new() { NetClass = 0x200002 }, Sandbox.Token);
        Assert.Equal("2097154\n", container.Launch.Group.Group.Parts.Single(part => part.Controllers.Contains(CgroupController.NetClass)).Group.Read("net_cls.classid") + "\n");
        await container.DisposeAsync();
        Assert.Null(Cgroup.Find(directories));
    }

    [Fact]
    public async Task What_a_group_sends_has_a_priority()
    {
        Requires();
        Assert.SkipWhen(Environment.GetEnvironmentVariable("ISOLATION_TEST_KERNEL") is null, "the virtual machine only: the queues of the loopback interface are the machine's");
        await OnHostAsync("tc", "qdisc", "replace", "dev", "lo", "root", "handle", "1:", "prio");
        try
        {
            CgroupOptions options = new() { System = CgroupSystem.Current.MountPrivately(Both) };
            await using Cgroup group = Cgroup.Create(CgroupScope.NewName(), new() { NetPriorities = [new("lo", 6)] }, options); // 6 is in the first band
            long before = await FirstBandAsync();
            using Process process = Process.Start(new ProcessStartInfo("sh", ["-c", """read go; exec perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Proto => "udp", PeerAddr => "127.0.0.1:9"); $s->send("x") for 1 .. 20'"""]) { RedirectStandardInput = true })!;
            group.Add(process.Id);
            process.StandardInput.Close();
            await process.WaitForExitAsync(Sandbox.Token);

            Assert.InRange(await FirstBandAsync() - before, 10, long.MaxValue);
        }
        finally
        {
            await OnHostAsync("tc", "qdisc", "del", "dev", "lo", "root");
        }

        static async Task<long> FirstBandAsync()
        {
            string[] words = (await OnHostAsync("tc", "-s", "class", "show", "dev", "lo", "classid", "1:1")).Split(' ', '\n');
            return long.Parse(words[Array.IndexOf(words, "pkt") - 1], System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    [Fact]
    public void An_interface_that_is_not_there_is_an_error()
    {
        Requires();

        CgroupException exception = Assert.Throws<CgroupException>(() => Cgroup.Create(CgroupScope.NewName(), new() { NetPriorities = [new("no-such0", 6)] }, new() { System = CgroupSystem.Current.MountPrivately(Both) }));

        Assert.Equal(CgroupErrorReason.InvalidValue, exception.Reason);
        Assert.Contains("no-such0", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_dead_host_left_is_removed()
    {
        Requires();
        using StateFixture state = new();
        (Process host, string id, int processId) = await state.HoldAsync("netclass", "sleep", "1000");
        string[] directory = [$"cgroup:net_cls,net_prio/isolation-{id}"];
        Assert.NotNull(Cgroup.Find(directory));

        await StateFixture.EndsAsync(host);
        await Processes.EndsAsync(processId);
        await using IsolationHost next = await state.OpenAsync();

        Assert.Null(Cgroup.Find(directory));
        Assert.Single(next.Recovery.Removed);
        Assert.Empty(next.Recovery.Left);
    }

    [Fact]
    public async Task Without_a_mount_the_error_says_what_helps()
    {
        CgroupScope.RequiresGroups();
        Assert.SkipWhen(CgroupSystem.Current[CgroupController.NetClass].IsMounted, "net_cls is mounted here");

        ContainerException exception = await Sandbox.Host("true").WithNetClass(1).RefusalAsync();

        Assert.Contains(CgroupSystem.Current.Mode == CgroupMode.V2 ? "nft socket cgroupv2" : "WithCgroupMounts", exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Who_may_not_mount_is_told()
    {
        Lane.RequiresUnprivileged("root may mount");

        CgroupException exception = Assert.Throws<CgroupException>(() => CgroupSystem.Current.MountPrivately(CgroupController.NetClass));

        Assert.Equal(CgroupErrorReason.NotPermitted, exception.Reason);
        Assert.Contains("root", exception.Message, StringComparison.Ordinal);
    }

    private static void Requires()
    {
        Lane.RequiresRoot("a hierarchy of v1 is mounted by root alone");
        foreach (CgroupController controller in Both) Assert.SkipWhen(CgroupSystem.Current[controller].IsMounted, $"{controller} is mounted here");
    }

    private static async Task<string> OnHostAsync(string program, params string[] arguments)
    {
        (int code, string output, string error) = await Sandbox.OnHostAsync(program, arguments);
        Assert.True(code == 0, error);
        return output;
    }
}
