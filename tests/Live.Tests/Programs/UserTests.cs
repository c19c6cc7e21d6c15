namespace Isolation.Live.Tests;

/// <summary>Who runs the program.</summary>
public sealed class UserTests
{
    private const string Passwd = "root:x:0:0:root:/root:/bin/sh\nworker:x:1000:100:Worker:/home/worker:/bin/sh\n# comment\nbroken\n1234:x:1001:101::/numeric:\n";
    private const string Group = "root:x:0:\nusers:x:100:\nmedia:x:44:worker,other\nwheel:x:10:worker\nalone:x:45:other\n1234:x:102:\n";

    [Theory]
    [InlineData("1000", "1000", "100", "100 10 44", "/home/worker")]
    [InlineData("worker", "1000", "100", "100 10 44", "/home/worker")]
    [InlineData("worker:alone", "1000", "45", "45", "/home/worker")]
    [InlineData("worker:7", "1000", "7", "7", "/home/worker")]
    [InlineData("5:6", "5", "6", "6", "/")]
    [InlineData("5", "5", "0", "0", "/")]
    [InlineData("root", "0", "0", "0", "/root")]
    [InlineData("1234", "1001", "101", "101", "/numeric")]
    public async Task Names_and_numbers_are_those_of_the_containers_files(string user, string id, string group, string groups, string home)
    {
        using TestRoot root = Root();
        ContainerBuilder builder = root.Shell("id -u; id -g; id -G; echo $HOME").WithUser(user);
        if (!Lane.IsRoot && id != "0")
        {
            Assert.Equal(ContainerErrorReason.IdNotMapped, (await builder.RefusalAsync()).Reason);
            if (!HasRange()) return;
            builder.WithSubordinateIds();
        }

        string[] lines = await builder.LinesAsync();

        Assert.Equal([id, group], lines[..2]);
        Assert.Equal(groups.Split(' ').Order(), lines[2].Split(' ').Order());
        Assert.Equal(home, lines[3]);
    }

    [Fact]
    public async Task Who_is_not_there_is_named()
    {
        using TestRoot root = Root();

        ContainerException user = await root.Container(RootAccess.ReadOnly, "true").WithUser("nobody-here").RefusalAsync();
        ContainerException group = await root.Container(RootAccess.ReadOnly, "true").WithUser("root:nogroup-here").RefusalAsync();

        Assert.Equal(ContainerErrorReason.UserNotFound, user.Reason);
        Assert.Contains("'nobody-here'", user.Message, StringComparison.Ordinal);
        Assert.Equal(ContainerErrorReason.GroupNotFound, group.Reason);
        Assert.Contains("'nogroup-here'", group.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_come_from_no_file_outside_the_root()
    {
        using TestRoot root = new();
        using TemporaryDirectory host = new();
        File.CreateSymbolicLink(root["etc/passwd"], host.Write("passwd", Passwd));
        File.CreateSymbolicLink(root["etc/group"], "/proc/self/root" + host.Write("group", Group));

        ContainerException refusal = await root.Container(RootAccess.ReadOnly, "true").WithUser("worker").RefusalAsync();

        Assert.Equal(ContainerErrorReason.UserNotFound, refusal.Reason);
    }

    [Fact]
    public async Task A_user_of_the_hosts_is_one_in_a_root_of_the_hosts_files()
    {
        string[] lines = await Sandbox.HostShell("id -u; echo $HOME").WithUser("root").LinesAsync();

        Assert.Equal(["0", "/root"], lines);
    }

    [Fact]
    public async Task Output_can_be_opened_by_name_by_any_user()
    {
        using TestRoot root = Root();
        ContainerBuilder builder = root.Shell("echo out > /dev/stdout; echo err > /dev/stderr").WithUser("worker");
        if (!Lane.IsRoot)
        {
            Assert.SkipUnless(HasRange(), "the user has no subordinate ids");
            builder.WithSubordinateIds();
        }

        ContainerResult result = await builder.ResultAsync();

        Assert.Equal(("out\n", "err\n"), (result.StandardOutput, result.StandardError));
    }

    private static bool HasRange() => File.Exists("/etc/subuid") && File.ReadLines("/etc/subuid").Any(line => line.StartsWith(Environment.UserName + ":", StringComparison.Ordinal));

    private static TestRoot Root()
    {
        TestRoot root = new();
        root.Write("etc/passwd", Passwd);
        root.Write("etc/group", Group);
        return root;
    }
}
