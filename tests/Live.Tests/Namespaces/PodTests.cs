namespace Isolation.Live.Tests;

/// <summary>Several containers that share some namespaces and not others.</summary>
public class PodTests
{
    private static readonly NamespaceKind[] Shared = [NamespaceKind.User, NamespaceKind.Network, NamespaceKind.Ipc, NamespaceKind.Uts];

    [Fact]
    public async Task Members_share_what_was_chosen_and_nothing_else()
    {
        await using Container first = await Sandbox.SleeperAsync(builder => builder.WithHostName("pod"));
        await using Container second = await Sandbox.SleeperAsync(builder => builder.JoinNamespacesOf(first, Shared));
        await using Container third = await Sandbox.SleeperAsync(builder => builder.JoinNamespacesOf(second, Shared));

        foreach (string file in (string[])["user", "net", "ipc", "uts"])
            Assert.Single(new[] { first, second, third }.Select(member => Processes.Namespace(member.ProcessId, file)).Distinct());
        foreach (string file in (string[])["pid", "mnt", "cgroup"])
            Assert.Equal(3, new[] { first, second, third }.Select(member => Processes.Namespace(member.ProcessId, file)).Distinct().Count());
        Assert.Equal("pod", Sandbox.Output(await third.ExecAsync("hostname")));
    }

    [Fact]
    public async Task Members_meet_on_loopback_and_each_has_its_own_tmp()
    {
        await using Container server = await Sandbox.HostShell("mkdir /tmp/www && echo from-the-pod > /tmp/www/page && exec busybox httpd -f -p 127.0.0.1:8000 -h /tmp/www").BeginAsync();

        // The server may not listen yet.
        string output = await Sandbox.HostShell("i=0; until busybox wget -q -O - http://127.0.0.1:8000/page; do i=$((i+1)); test $i -lt 200 || exit 1; sleep 0.05; done; test ! -e /tmp/www")
            .JoinNamespacesOf(server, NamespaceKind.User, NamespaceKind.Network).OutputAsync();

        Assert.Equal("from-the-pod", output);
    }

    [Fact]
    public async Task A_network_outlives_the_member_that_made_it_and_its_processes_do_not()
    {
        Container first = await Sandbox.SleeperAsync();
        await using Container second = await Sandbox.SleeperAsync(builder => builder.JoinNamespacesOf(first, NamespaceKind.User, NamespaceKind.Network));
        await using Container inside = await Sandbox.SleeperAsync(builder => builder.JoinNamespacesOf(first, NamespaceKind.User, NamespaceKind.Pid));

        await first.DisposeAsync();

        ContainerResult result = await inside.EndAsync(); // the kernel ends a pid namespace with its first process
        Assert.Equal(9, result.Signal);
        Assert.True(second.IsRunning);
        Assert.Contains("lo:", Sandbox.Output(await second.ExecAsync("cat", "/proc/net/dev")), StringComparison.Ordinal);
    }
}
