using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>Sets of confinement, and what can be said besides.</summary>
[Trait("Lane", "VM")]
public sealed class SecurityProfileTests
{
    private static async Task<Dictionary<string, string>> StatusAsync(SecurityProfile profile) =>
        Processes.Status(await Sandbox.Host("cat", "/proc/self/status").WithSecurity(profile).OutputAsync());

    [Fact]
    public async Task A_strict_program_has_no_capability_and_a_filter_and_sees_nobody_else()
    {
        Dictionary<string, string> status = await StatusAsync(SecurityProfile.Strict);

        Assert.All((string[])["CapBnd", "CapEff", "CapPrm", "CapInh", "CapAmb"], set => Assert.Equal("0000000000000000", status[set]));
        Assert.Equal(("1", "2"), (status["NoNewPrivs"], status["Seccomp"]));
        Assert.Contains("hidepid=", await Sandbox.HostShell("grep ' /proc proc ' /proc/mounts").WithSecurity(SecurityProfile.Strict).OutputAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("perl -e 'syscall(101, 0, 0, 0, 0) < 0 or exit 1; print $!'")] // ptrace(PTRACE_TRACEME) on x86-64
    [InlineData("mknod /tmp/fifo p")]
    public async Task What_a_strict_program_may_not_call_the_default_may(string command)
    {
        Assert.SkipUnless(System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64 && File.Exists("/usr/bin/perl"), "the number is x86-64's, and perl makes the call");

        ContainerResult strict = await Sandbox.HostShell(command).WithSecurity(SecurityProfile.Strict).ResultAsync();
        ContainerResult usual = await Sandbox.HostShell(command).WithSecurity(SecurityProfile.Default).ResultAsync();

        Assert.Contains("not permitted", strict.StandardOutput + strict.StandardError, StringComparison.Ordinal);
        Assert.DoesNotContain("not permitted", usual.StandardOutput + usual.StandardError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_nobody_trusts_owns_nothing_writes_nothing_and_reaches_nobody()
    {
        const string Show = """
            id -u; id -G; grep -cE '^[^/]*$' /proc/uptime 2>/dev/null; ls /proc | grep -vE '^([0-9]+|self|thread-self)$'
            touch /file /etc/file /usr/file 2>&1 | grep -c Read-only; touch /tmp/file && echo tmp
            cat /proc/self/uid_map | tr -s ' '; ulimit -c; ulimit -n
            """;
        ContainerResult result = await Sandbox.HostShell(Show).WithSecurity(SecurityProfile.Untrusted).ResultAsync();

        Assert.Equal("", result.StandardError);
        string[] lines = result.StandardOutput.TrimEnd().Split('\n');
        Assert.Equal("65534", lines[0]);
        if (Lane.IsRoot) Assert.Equal("65534", lines[1]); // an unprivileged caller cannot drop its groups
        Assert.Matches(Lane.IsRoot ? "^ 65534 [0-9]{6,10} 1$" : $"^ 65534 {HostFactsReader.Current.UserId} 1$", lines[4]); // root's have an id of their own each
        Assert.Equal(["3", "tmp", "0", "1024"], [.. lines[2..4], .. lines[5..]]);
    }

    [Fact]
    public async Task Hardly_confined_is_nearly_the_host()
    {
        Dictionary<string, string> status = await StatusAsync(SecurityProfile.Privileged);
        Assert.Equal(("0", "0"), (status["NoNewPrivs"], status["Seccomp"]));
        Assert.Equal("tmpfs", await Sandbox.HostShell("mount -t tmpfs none /mnt && stat -f -c %T /mnt").WithPrivileged().OutputAsync());
        Assert.Equal(Processes.Namespace(Environment.ProcessId, "user") == await Sandbox.Host("readlink", "/proc/self/ns/user").WithPrivileged().OutputAsync(), HostFactsReader.Current.Has(Capability.SysAdmin));
        Assert.DoesNotContain("/proc/kcore", await Sandbox.Host("cat", "/proc/self/mountinfo").WithPrivileged().OutputAsync(), StringComparison.Ordinal);

        // What is said afterwards counts.
        Assert.Equal("2", Processes.Status(await Sandbox.Host("cat", "/proc/self/status").WithPrivileged().WithSecurity(SecurityProfile.Default).OutputAsync())["Seccomp"]);
    }

    [Fact]
    public async Task A_root_that_cannot_be_written()
    {
        Assert.Equal(["4", "yes"], await Sandbox.HostShell("touch /file /etc/file /usr/file /var/file 2>&1 | grep -c Read-only; touch /tmp/file /run/file /dev/shm/file && echo yes").WithReadOnlyRoot().LinesAsync());
    }

    [Fact]
    public async Task Kernel_parameters_of_its_own_namespaces()
    {
        string before = await File.ReadAllTextAsync("/proc/sys/net/ipv4/ip_forward", Sandbox.Token), messages = await File.ReadAllTextAsync("/proc/sys/kernel/msgmax", Sandbox.Token);
        ContainerBuilder builder = Sandbox.HostShell("cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/net/ipv4/conf/lo/forwarding").WithSysctl("net.ipv4.ip_default_ttl", "77").WithSysctl("net/ipv4/conf/lo/forwarding", "1");

        Assert.Equal(["77", "1"], await builder.LinesAsync());
        if (Lane.IsRoot || Environment.OSVersion.Version >= new Version(5, 19)) Assert.Equal("4711", await Sandbox.Host("cat", "/proc/sys/kernel/msgmax").WithSysctl("kernel.msgmax", "4711").OutputAsync());
        Assert.Equal((before, messages), (await File.ReadAllTextAsync("/proc/sys/net/ipv4/ip_forward", Sandbox.Token), await File.ReadAllTextAsync("/proc/sys/kernel/msgmax", Sandbox.Token)));
    }

    [Theory]
    [InlineData("kernel.core_pattern", "|/bin/sh")]
    [InlineData("vm.swappiness", "1")]
    [InlineData("net.ipv4.ip_forward", "1\nkernel.core_pattern=|/bin/sh")]
    [InlineData("net.../../kernel.core_pattern", "x")]
    [InlineData("net.ipv4/../../kernel/core_pattern", "x")]
    [InlineData("net/../kernel/core_pattern", "x")]
    [InlineData("kernel.hostname", "x")]
    [InlineData("net", "x")]
    public void Parameters_of_the_host_are_refused(string name, string value) => Assert.ThrowsAny<ArgumentException>(() => Sandbox.Host("true").WithSysctl(name, value));

    [Fact]
    public async Task A_parameter_that_is_not_there_or_a_namespace_that_is_not_its_own_is_an_error()
    {
        Assert.Contains("net.no_such", (await Sandbox.Host("true").WithSysctl("net.no_such", "1").RefusalAsync()).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => Sandbox.Host("true").WithNetNs(NamespaceSource.Host).WithSysctl("net.ipv4.ip_forward", "1").Build());
    }

    [Fact]
    public async Task Its_session_keyring_is_its_own()
    {
        Assert.SkipUnless(File.Exists("/proc/keys") && File.Exists("/usr/bin/perl"), "the kernel has no keys, or perl is not there to ask");
        nint own = Syscall.Invoke(SystemCall.keyctl, 0, -3, 0); // KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING
        string ask = FormattableString.Invariant($"print syscall({TargetAbi.Current.Number(SystemCall.keyctl)}, 0, -3, 0)");

        string inside = await Sandbox.Host("perl", "-e", ask).WithoutSeccomp().OutputAsync();

        Assert.True(long.Parse(inside, System.Globalization.CultureInfo.InvariantCulture) > 0, inside);
        Assert.NotEqual(FormattableString.Invariant($"{own}"), inside);
        Assert.Equal("-1", await Sandbox.Host("perl", "-e", ask).OutputAsync());
    }
}
