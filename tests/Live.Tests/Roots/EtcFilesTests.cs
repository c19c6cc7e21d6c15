using System.Diagnostics;

namespace Isolation.Live.Tests;

/// <summary>/etc/hosts, /etc/hostname and /etc/resolv.conf.</summary>
public sealed class EtcFilesTests
{
    public static TheoryData<RootAccess> Accesses => [.. Enum.GetValues<RootAccess>()];

    [Theory]
    [MemberData(nameof(Accesses))]
    public async Task They_are_provided_and_those_of_the_directory_stay(RootAccess access)
    {
        using TestRoot root = new();
        string[] before = TreeSnapshot.Of(root["etc"]);

        string[] lines = await root.Container(access, "cat", "/etc/hostname", "/etc/resolv.conf", "/etc/hosts")
            .WithHostName("guest").WithDns("192.0.2.7").WithDns("2001:db8::1").WithHostEntry("db.test", "192.0.2.9").LinesAsync();

        Assert.Equal(["guest", "nameserver 192.0.2.7", "nameserver 2001:db8::1"], lines[..3]);
        Assert.Contains(lines, line => line.Split('\t', ' ') is ["127.0.0.1", "localhost", ..]);
        Assert.Contains(lines, line => line.Split('\t') is ["127.0.1.1", "guest"]);
        Assert.Contains("192.0.2.9\tdb.test", lines);
        Assert.Equal(before, TreeSnapshot.Of(root["etc"]));
    }

    [Fact]
    public async Task The_hosts_stay_as_they_are()
    {
        string[] before = [File.ReadAllText("/etc/hosts"), File.ReadAllText("/etc/hostname")];

        string[] lines = await Sandbox.Host("cat", "/etc/hostname", "/etc/hosts").WithHostName("guest").LinesAsync();

        Assert.Equal("guest", lines[0]);
        Assert.Contains("127.0.1.1\tguest", lines);
        string[] after = [File.ReadAllText("/etc/hosts"), File.ReadAllText("/etc/hostname")];
        Assert.Equal(before, after);
    }

    [Fact]
    public async Task Name_servers_are_the_hosts_without_those_on_loopback()
    {
        using TestRoot root = new();

        string inside = await root.Container(RootAccess.ReadOnly, "cat", "/etc/resolv.conf").OutputAsync();

        Assert.Equal(HostFiles.ResolvConf(hostNetwork: false).TrimEnd('\n'), inside);
        Assert.DoesNotContain("lower", inside, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bind_of_the_callers_own_comes_before_them()
    {
        using TestRoot root = new();
        using TemporaryDirectory directory = new();
        string file = directory.Write("hosts", "mine\n");

        Assert.Equal("mine", await root.Container(RootAccess.ReadOnly, "cat", "/etc/hosts").WithBind(file, "/etc/hosts").OutputAsync());
        Assert.Equal("mine", await Sandbox.Host("cat", "/etc/hosts").WithBind(file, "/etc/hosts").OutputAsync());
    }

    [Fact]
    public async Task The_program_can_write_them_where_the_root_can_be_written()
    {
        using TestRoot root = new();
        string[] before = TreeSnapshot.Of(root["etc"]);

        Assert.Equal("mine", await root.Shell("echo mine > /etc/hosts; cat /etc/hosts", RootAccess.Layered).OutputAsync());
        Assert.Equal(before, TreeSnapshot.Of(root["etc"]));
    }

    [Fact]
    public async Task That_others_rename_all_the_time_is_no_obstacle()
    {
        using TestRoot root = new();
        using TemporaryDirectory elsewhere = new();
        File.Delete(root["etc/resolv.conf"]);
        File.CreateSymbolicLink(root["etc/resolv.conf"], "../run/systemd/resolve/stub-resolv.conf");
        Directory.CreateDirectory(elsewhere["a"]);
        using Process storm = Sandbox.StartOnHost("perl", "-e", "chdir $ARGV[0]; while (1) { rename 'a', 'b'; rename 'b', 'a' }", elsewhere.Path);
        try
        {
            for (int i = 0; i < 10; i++)
                Assert.Equal("guest", await root.Container(RootAccess.ReadWrite, "cat", "/etc/hostname").WithHostName("guest").WithDns("192.0.2.7").OutputAsync());
        }
        finally
        {
            storm.Kill();
            await storm.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }

    /// <summary>As a root unpacked from a machine with systemd-resolved has it.</summary>
    [Theory]
    [MemberData(nameof(Accesses))]
    public async Task A_link_to_nowhere_is_no_obstacle(RootAccess access)
    {
        using TestRoot root = new();
        File.Delete(root["etc/resolv.conf"]);
        File.CreateSymbolicLink(root["etc/resolv.conf"], "../run/systemd/resolve/stub-resolv.conf");

        await using Container container = await root.Container(access, "cat", "/etc/hostname", "/etc/resolv.conf").WithHostName("guest").WithDns("192.0.2.7").StartAsync(TestContext.Current.CancellationToken);
        ContainerResult result = await container.WaitAsync(TestContext.Current.CancellationToken);

        bool provided = access != RootAccess.ReadWrite;
        Assert.Equal(provided ? "guest\nnameserver 192.0.2.7\n" : "guest\n", result.StandardOutput);
        Assert.Equal(provided, !container.Enforcement.Any(entry => entry is { Feature: "/etc/resolv.conf", State: EnforcementState.Fallback }));
        Assert.Equal("../run/systemd/resolve/stub-resolv.conf", new FileInfo(root["etc/resolv.conf"]).LinkTarget);
    }
}
