using System.Diagnostics;
using System.Globalization;
using Isolation.Cgroups;

namespace Isolation.Live.Tests;

/// <summary>
/// Groups that systemd makes, by a systemd that runs: the system's for root, and a user's own. Once a test has run here, this
/// process is in a scope.
/// </summary>
[Trait("Lane", "Systemd")]
public sealed class SystemdTests
{
    public SystemdTests() => Require();

    /// <summary>A machine that was started to have systemd must have it; any other may lack it.</summary>
    internal static void Require()
    {
        if (Environment.GetEnvironmentVariable("ISOLATION_TEST_SYSTEMD") is not null) // a machine that was started to have it
        {
            Assert.Null(CgroupSystem.Current.SystemdAbsence);
            Assert.Equal(CgroupMode.V2, CgroupSystem.Current.Mode);
        }

        Assert.SkipWhen(CgroupSystem.Current.SystemdAbsence is not null, $"no systemd to ask: {CgroupSystem.Current.SystemdAbsence}");
        Assert.SkipUnless(CgroupSystem.Current.Mode == CgroupMode.V2, "systemd is asked for groups of v2 alone");
    }

    private static ContainerBuilder Systemd(params string[] command) =>
        Sandbox.Host(command).WithCgroupDriver(CgroupDriver.Systemd).WithPidsLimit(50).WithMemoryLimit(64 << 20);

    [Fact]
    public async Task A_container_is_in_a_scope_that_systemd_knows_of_and_its_limits_hold()
    {
        Container container = await Systemd("sleep", "1000").StartAsync(Sandbox.Token);
        string group = GroupOf(container.ProcessId);
        string scope = Path.GetDirectoryName(group)!;
        Assert.Equal(scope, Path.GetDirectoryName(GroupOf(Environment.ProcessId)));
        Assert.StartsWith($"isolation-{Environment.ProcessId}-", Path.GetFileName(scope), StringComparison.Ordinal);
        Assert.Equal("50", File.ReadAllText($"/sys/fs/cgroup{group}/pids.max").Trim());
        Assert.Equal("67108864", File.ReadAllText($"/sys/fs/cgroup{group}/memory.max").Trim());

        string properties = await SystemctlAsync("show", Path.GetFileName(scope), "-p", "ControlGroup,Delegate,ActiveState,CollectMode,TasksMax");
        Assert.Contains($"ControlGroup={scope}\n", properties, StringComparison.Ordinal);
        Assert.Contains("Delegate=yes\n", properties, StringComparison.Ordinal);
        Assert.Contains("ActiveState=active\n", properties, StringComparison.Ordinal);
        Assert.Contains("CollectMode=inactive-or-failed\n", properties, StringComparison.Ordinal);
        Assert.Contains("TasksMax=infinity\n", properties, StringComparison.Ordinal);

        await container.UpdateLimitsAsync(new() { Pids = 40 }, Sandbox.Token);
        Assert.Equal("40", File.ReadAllText($"/sys/fs/cgroup{group}/pids.max").Trim());
        await container.DisposeAsync();
        Assert.False(Directory.Exists($"/sys/fs/cgroup{group}"));
        Assert.True(Directory.Exists($"/sys/fs/cgroup{scope}"));
    }

    [Fact]
    public async Task Who_may_make_none_where_it_is_asks_systemd_by_itself_and_the_totals_are_there_at_the_end()
    {
        Lane.RequiresUnprivileged("root may make groups anywhere");

        ContainerResult result = await Sandbox.HostShell("exec tail -n 1 /dev/zero").WithMemoryLimit(32 << 20).WithMemorySwapLimit(32 << 20).RunAsync(Sandbox.Token);

        Assert.Equal(ContainerOutcome.OutOfMemory, result.Outcome);
        Assert.NotNull(result.Resources);
        Assert.NotNull(ProcessScope.ScopeOf(GroupOf(Environment.ProcessId)));
    }

    [Fact]
    public async Task A_group_without_a_container_is_in_the_scope_too()
    {
        await using Cgroup group = Cgroup.Create(CgroupScope.NewName(), new() { Pids = 20 }, new() { Driver = CgroupDriver.Systemd });
        using Process process = Process.Start("sleep", "1000");
        group.Add(process.Id);
        Assert.Equal(ProcessScope.ScopeOf(GroupOf(Environment.ProcessId)), Path.GetDirectoryName(GroupOf(process.Id)));
    }

    [Fact]
    public async Task A_process_is_in_one_slice()
    {
        Assert.True((await Systemd("true").ResultAsync()).Succeeded);

        ContainerException exception = await Systemd("true").WithCgroupParent("isolation-other.slice").RefusalAsync();

        Assert.Contains("one slice for all containers", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_manager_refuses_is_said_in_its_words()
    {
        SystemdClient manager = SystemdClient.Find(out _)!;

        // Nobody has such a process.
        SystemdException exception = Assert.Throws<SystemdException>(() => manager.StartScope("isolation-nobody.scope", null, int.MaxValue));

        Assert.StartsWith("StartTransientUnit is answered with ", exception.Message, StringComparison.Ordinal);
        Assert.NotNull(exception.Name);
    }

    [Fact]
    public async Task A_scope_goes_with_its_last_process_and_is_in_the_slice_asked_for()
    {
        SystemdClient manager = SystemdClient.Find(out _)!;
        string name = $"isolation-test-{Guid.NewGuid():N}.scope";
        using Process process = Process.Start("sleep", "1000");

        manager.StartScope(name, "isolation-test.slice", process.Id);

        string group = GroupOf(process.Id);
        Assert.EndsWith($"/isolation.slice/isolation-test.slice/{name}", group, StringComparison.Ordinal);
        Directory.CreateDirectory($"/sys/fs/cgroup{group}/beneath");
        process.Kill();
        await process.WaitForExitAsync(Sandbox.Token);
        for (int i = 0; i < 1000 && Directory.Exists($"/sys/fs/cgroup{group}"); i++) await Task.Delay(10, Sandbox.Token);
        Assert.False(Directory.Exists($"/sys/fs/cgroup{group}"));
        Assert.Contains("LoadState=not-found", await SystemctlAsync("show", name, "-p", "LoadState"), StringComparison.Ordinal);
    }

    private static string GroupOf(int process) => File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/cgroup")).Trim()[3..];

    private static async Task<string> SystemctlAsync(params string[] arguments)
    {
        (int code, string output, string error) = await Sandbox.OnHostAsync("systemctl", Lane.IsRoot ? arguments : ["--user", .. arguments]);
        Assert.True(code == 0, error);
        return output;
    }
}
