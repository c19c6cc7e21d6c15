namespace Isolation.Live.Tests;

/// <summary>Landlock, in force in the kernel. On one without it, it is refused or reported.</summary>
[Trait("Lane", "VM")]
public sealed class LandlockTests
{
    private static readonly LandlockPolicy Policy = LandlockPolicy.Of(["/usr", "/bin", "/lib", "/lib64", "/etc", "/dev", "/proc"], ["/tmp", "/dev/null"]) with { BestEffort = true };

    private static int Version => HostFactsReader.Current.LandlockVersion;

    private static LandlockPolicy OfHost => Policy with { Paths = [.. Policy.Paths.Where(path => Path.Exists(path.Path))] };

    [Fact]
    public async Task Files_are_used_where_the_policy_allows_it()
    {
        Assert.SkipWhen(Version == 0, "this kernel has no Landlock");

        string[] lines = await Sandbox.HostShell("""
            echo text > /tmp/a && cat /tmp/a
            (echo text > /run/a) 2>/dev/null || echo '/run refused'
            (ls /root) >/dev/null 2>&1 || echo '/root refused'
            (mkdir /etc/a) 2>/dev/null || echo '/etc refused'
            mkdir /tmp/b && mv /tmp/a /tmp/b/c && cat /tmp/b/c
            echo gone > /dev/null && grep -c . /etc/passwd >/dev/null && echo read
            """).WithLandlock(OfHost).LinesAsync();

        Assert.Equal(["text", "/run refused", "/root refused", "/etc refused", "text", "read"], lines);
    }

    [Fact]
    public async Task A_program_in_no_allowed_place_does_not_start()
    {
        Assert.SkipWhen(Version == 0, "this kernel has no Landlock");

        ContainerException exception = await Sandbox.Host("true").WithLandlock(LandlockPolicy.Of(["/etc"], []) with { BestEffort = true }).RefusalAsync();

        Assert.Equal(ContainerErrorReason.ProgramNotExecutable, exception.Reason);
    }

    [Fact]
    public async Task What_the_kernel_lacks_is_an_error_or_reported()
    {
        LandlockPolicy everything = new() { Refused = LandlockAccess.MakeSocket | LandlockAccess.ControlDevice, Scopes = LandlockScopes.All };
        if (Version >= 6)
        {
            await using Container strict = await Sandbox.SleeperAsync(builder => builder.WithLandlock(everything));
            Assert.Contains(strict.Enforcement, entry => entry is { Feature: "landlock", State: EnforcementState.Enforced });
            return;
        }

        ContainerException exception = await Sandbox.Host("true").WithLandlock(everything).RefusalAsync();
        Assert.Contains("landlock_create_ruleset", exception.Message, StringComparison.Ordinal);
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithLandlock(everything with { BestEffort = true }));
        Assert.Contains(container.Enforcement, entry => entry is { Feature: "landlock", State: EnforcementState.Fallback });
    }

    [Fact]
    public async Task Signals_stay_among_the_program_and_its_own()
    {
        Assert.SkipWhen(Version < 6, "this kernel's Landlock has no scopes (Linux 6.12)");
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithInit());

        ContainerResult free = await container.NewProcess().WithCommand("kill", "-0", "2").RunAsync(Sandbox.Token);
        ContainerResult scoped = await container.NewProcess().WithCommand("kill", "-0", "2").WithLandlock(new() { Refused = 0, Scopes = LandlockScopes.Signals }).RunAsync(Sandbox.Token);

        Assert.True(free.Succeeded, free.StandardError);
        Assert.False(scoped.Succeeded);
    }

    [Fact]
    public async Task Ports_that_are_not_named_are_neither_bound_nor_connected_to()
    {
        Assert.SkipWhen(Version < 4, "this kernel's Landlock has no rules of ports (Linux 6.7)");
        Assert.SkipUnless(File.Exists("/bin/busybox"), "there is no /bin/busybox: install busybox-static");
        LandlockPolicy policy = new() { Refused = 0, BindPorts = [8080], ConnectPorts = [] };

        string[] lines = await Sandbox.HostShell("""
            for port in 8080 8081; do (timeout 0.2 busybox nc -l -p $port) 2>/dev/null </dev/null; [ $? = 1 ] && echo "$port refused" || echo "$port bound"; done
            busybox nc 127.0.0.1 9 </dev/null 2>&1 | grep -o 'Permission denied'
            """).WithLandlock(policy).LinesAsync();

        Assert.Equal(["8080 bound", "8081 refused", "Permission denied"], lines);
    }

    [Fact]
    public void What_contradicts_itself_is_refused_before_anything_is_made()
    {
        static string Problem(LandlockPolicy policy) => Assert.Throws<InvalidOperationException>(() => Sandbox.Host("true").WithLandlock(policy).Build()).Message;

        Assert.Contains("refuses nothing", Problem(new() { Refused = 0 }), StringComparison.Ordinal);
        Assert.Contains("'relative'", Problem(LandlockPolicy.Of(["relative"], [])), StringComparison.Ordinal);
        Assert.Contains("does not refuse elsewhere", Problem(new() { Refused = LandlockAccess.WriteFile, Paths = [new("/tmp", LandlockAccess.ReadFile)] }), StringComparison.Ordinal);
    }
}
