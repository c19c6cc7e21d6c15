using System.Collections.Immutable;
using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>Filters on system calls, in force in the kernel.</summary>
[Trait("Lane", "VM")]
public sealed class SeccompTests
{
    private static SeccompPolicy But(SeccompAction action, params string[] calls) => new() { DefaultAction = SeccompAction.Allow, Rules = [new([.. calls], action)] };

    [Fact]
    public async Task The_kernel_says_that_the_filter_is_in_force()
    {
        string[] lines = await Sandbox.HostShell("grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status").WithSeccomp(SeccompPolicy.Default).LinesAsync();

        Assert.Equal(["NoNewPrivs:\t1", "Seccomp:\t2"], lines);
    }

    [Fact]
    public async Task It_is_on_without_a_word_and_off_where_that_is_said()
    {
        const string Show = "grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status";

        Assert.Equal(["NoNewPrivs:\t1", "Seccomp:\t2"], await Sandbox.HostShell(Show).LinesAsync());
        Assert.Equal(["NoNewPrivs:\t1", "Seccomp:\t0"], await Sandbox.HostShell(Show).WithoutSeccomp().LinesAsync());
        Assert.Equal(["NoNewPrivs:\t1", "Seccomp:\t2"], await Sandbox.HostShell(Show).WithNesting().LinesAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Where_new_privileges_are_allowed_it_is_in_force_and_leaves_no_capability_behind(bool init)
    {
        ContainerBuilder builder = Sandbox.HostShell("grep -hE '^(CapEff|CapPrm|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status").AllowNewPrivileges().DropAllCapabilities().WithLandlock(new LandlockPolicy { Refused = 0, Scopes = LandlockScopes.All, BestEffort = true });
        if (init) builder.WithInit();

        string[] lines = await builder.LinesAsync();

        Assert.Equal(["CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t0", "Seccomp:\t2"], lines);
    }

    [Fact]
    public async Task Where_the_default_had_to_be_left_out_further_programs_start_too_and_what_was_asked_for_is_refused()
    {
        Lane.RequiresUnprivileged("root has CAP_SYS_ADMIN in the host's user namespace");
        ContainerBuilder Builder()
        {
            ContainerBuilder builder = new ContainerBuilder().WithCommand("/bin/sleep", "1000").AllowNewPrivileges();
            foreach (NamespaceKind kind in Enum.GetValues<NamespaceKind>()) builder.WithNamespace(kind, NamespaceSource.Host);
            return builder;
        }

        await using Container container = await Builder().BeginAsync();
        ContainerResult result = await container.NewProcess().WithCommand("/bin/grep", "^Seccomp:", "/proc/self/status").RunAsync(Sandbox.Token);

        Assert.Equal("Seccomp:\t0\n", result.StandardOutput);
        Assert.Contains(container.Enforcement, entry => entry is { Feature: "seccomp", State: EnforcementState.Fallback });
        Assert.Equal(ContainerErrorReason.SecurityUnavailable, (await Builder().WithSeccomp(SeccompPolicy.Default).RefusalAsync()).Reason);
        Assert.Equal(ContainerErrorReason.SecurityUnavailable, (await Builder().WithSystemCallHandler((_, _) => ValueTask.FromResult(SystemCallAnswer.Continue), "mkdir").RefusalAsync()).Reason);
    }

    [Fact]
    public async Task An_init_keeps_no_capability_that_is_not_granted()
    {
        string[] lines = await Sandbox.HostShell("grep -hE '^(CapEff|CapPrm):' /proc/1/status").WithInit().AllowNewPrivileges().DropAllCapabilities().LinesAsync();

        Assert.Equal(["CapPrm:\t0000000000000000", "CapEff:\t0000000000000000"], lines);
    }

    [Fact]
    public async Task A_call_fails_with_the_error_that_the_policy_says()
    {
        ContainerResult result = await Sandbox.HostShell("mkdir /tmp/a; mkdir /tmp/b 2>&1; ls /tmp").WithSeccomp(But(SeccompAction.Fail(Errno.EXDEV), "mkdir", "mkdirat")).ResultAsync();

        Assert.Contains("cross-device", result.StandardOutput + result.StandardError, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("process")]
    [InlineData("thread")]
    [InlineData("trap")]
    public async Task A_call_ends_the_program_where_the_policy_says_so(string how)
    {
        SeccompAction action = how switch { "process" => SeccompAction.KillProcess, "thread" => SeccompAction.KillThread, _ => SeccompAction.Trap };

        ContainerResult result = await Sandbox.HostShell("exec mkdir /tmp/a").WithSeccomp(But(action, "mkdir", "mkdirat")).ResultAsync();

        Assert.Equal(31, result.Signal); // SIGSYS
    }

    [Fact]
    public async Task Arguments_decide()
    {
        SeccompPolicy policy = new()
        {
            DefaultAction = SeccompAction.Allow,
            Rules = [new(["kill"], SeccompAction.Fail(Errno.EACCES)) { Conditions = [SeccompCondition.Equal(1, 12)] }],
        };

        string[] lines = await Sandbox.HostShell("trap 'echo usr1' USR1; trap 'echo usr2' USR2; kill -USR1 $$; kill -USR2 $$ 2>/dev/null || echo refused; echo end").WithSeccomp(policy).LinesAsync();

        Assert.Equal(["usr1", "refused", "end"], lines);
    }

    [Theory]
    [InlineData("unshare --user true", "unshare")]
    [InlineData("mount -t tmpfs none /tmp", "mount")]
    [InlineData("unshare --net true", "unshare")]
    public async Task The_default_refuses_what_containers_do_not_do(string command, string word)
    {
        ContainerResult result = await Sandbox.HostShell($"{command} 2>&1").WithSeccomp(SeccompPolicy.Default).ResultAsync();

        Assert.False(result.Succeeded);
        Assert.Contains(word, result.StandardOutput, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_programs_do_as_a_rule_the_default_allows()
    {
        const string Script = """
            set -e
            cd /tmp; mkdir a; echo text > a/file; cp a/file a/copy; ln -s file a/link; chmod 600 a/copy; mv a/copy a/moved; cat a/moved
            (sleep 0.01; echo child) & wait
            find a | sort; tar cf a.tar a; gzip a.tar; rm -r a; kill -0 $$
            """;

        string[] lines = await Sandbox.HostShell(Script).WithSeccomp(SeccompPolicy.Default).LinesAsync();

        Assert.Equal(["text", "child", "a", "a/file", "a/link", "a/moved"], lines);
    }

    [Fact]
    public async Task A_further_program_has_the_filter_too_and_one_of_its_own_where_that_is_said()
    {
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithSeccomp(But(SeccompAction.Fail(Errno.EXDEV), "mkdir", "mkdirat")));

        ContainerResult same = await container.NewProcess().WithCommand("mkdir", "/tmp/a").RunAsync(Sandbox.Token), own = await container.NewProcess().WithCommand("mkdir", "/tmp/a").WithSeccomp(But(SeccompAction.Fail(Errno.EXDEV), "rmdir")).RunAsync(Sandbox.Token);

        Assert.False(same.Succeeded);
        Assert.True(own.Succeeded, own.StandardError);
        Assert.Contains(container.Enforcement, entry => entry.Feature == "seccomp" && entry.State == EnforcementState.Enforced);
    }

    [Fact]
    public async Task With_an_init_it_holds_for_the_program()
    {
        string[] lines = await Sandbox.HostShell("grep -h ^Seccomp: /proc/1/status /proc/self/status").WithInit().WithSeccomp(SeccompPolicy.Default).LinesAsync();

        Assert.Equal("Seccomp:\t2", lines[1]);
    }

    [Fact]
    public async Task Why_a_program_does_not_start_is_still_said()
    {
        ContainerException exception = await Sandbox.Host("/no/such/program").WithSeccomp(SeccompPolicy.Default).RefusalAsync();

        Assert.Equal(ContainerErrorReason.ProgramNotFound, exception.Reason);
    }

    [Fact]
    public void What_could_not_start_or_is_no_policy_is_refused_before_anything_is_made()
    {
        ContainerBuilder Builder(SeccompPolicy policy) => Sandbox.Host("true").WithSeccomp(policy);

        Assert.Contains("execve", Assert.Throws<InvalidOperationException>(() => Builder(But(SeccompAction.KillProcess, "execve")).Build()).Message, StringComparison.Ordinal);
        Assert.Contains("'of_tomorrow'", Assert.Throws<InvalidOperationException>(() => Builder(But(SeccompAction.Allow, "of_tomorrow")).Build()).Message, StringComparison.Ordinal);
        Assert.Contains("argument 6", Assert.Throws<InvalidOperationException>(() => Builder(new() { DefaultAction = SeccompAction.Allow, Rules = [new(["read"], SeccompAction.Allow) { Conditions = [SeccompCondition.Equal(6, 0)] }] }).Build()).Message, StringComparison.Ordinal);
        Assert.Contains("SCMP_ACT_NOTIFY", Assert.Throws<InvalidOperationException>(() => Builder(SeccompPolicy.FromJson("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mount"],"action":"SCMP_ACT_NOTIFY"}]}""")).Build()).Message, StringComparison.Ordinal);
        Assert.Contains("capset", Assert.Throws<InvalidOperationException>(() => Builder(But(SeccompAction.Fail(Errno.EPERM), "capset")).AllowNewPrivileges().Build()).Message, StringComparison.Ordinal);
    }
}
