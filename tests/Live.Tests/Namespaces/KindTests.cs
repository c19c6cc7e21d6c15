namespace Isolation.Live.Tests;

/// <summary>Each kind of namespace: new, the host's, or joined.</summary>
public sealed class KindTests
{
    public static TheoryData<NamespaceKind> Kinds => [.. Enum.GetValues<NamespaceKind>()];

    public static TheoryData<NamespaceKind> KindsButUser => [.. Enum.GetValues<NamespaceKind>().Where(kind => kind != NamespaceKind.User)];

    [Fact]
    public async Task Every_kind_is_new_by_default()
    {
        foreach ((NamespaceKind kind, string inside) in await NamespacesOf(Lister()))
            Assert.NotEqual(HostNamespace(kind), inside);
    }

    [Theory]
    [MemberData(nameof(KindsButUser))]
    public async Task The_hosts_namespace_is_the_hosts_and_the_others_stay_new(NamespaceKind kind)
    {
        ContainerBuilder builder = Lister().WithNamespace(kind, NamespaceSource.Host);

        foreach ((NamespaceKind other, string inside) in await NamespacesOf(builder))
        {
            if (other == kind) Assert.Equal(HostNamespace(other), inside);
            else Assert.NotEqual(HostNamespace(other), inside);
        }
    }

    [Fact]
    public async Task The_hosts_user_namespace_takes_root_to_have_others_new()
    {
        ContainerBuilder builder = Lister().WithUserNs(NamespaceSource.Host);
        if (!Lane.IsRoot)
        {
            ContainerException refusal = await builder.RefusalAsync();
            Assert.Equal(ContainerErrorReason.NamespaceForbidden, refusal.Reason);
            Assert.Contains("user namespace new", refusal.Remedy, StringComparison.Ordinal);
            return;
        }

        foreach ((NamespaceKind kind, string inside) in await NamespacesOf(builder))
        {
            if (kind == NamespaceKind.User) Assert.Equal(HostNamespace(kind), inside);
            else Assert.NotEqual(HostNamespace(kind), inside);
        }
    }

    [Fact]
    public async Task Everything_of_the_hosts_is_a_process_like_any_other()
    {
        ContainerBuilder builder = Lister();
        foreach (NamespaceKind kind in Enum.GetValues<NamespaceKind>()) builder.WithNamespace(kind, NamespaceSource.Host);
        if (!Lane.IsRoot) builder.WithUser(HostFactsReader.Current.UserId, HostFactsReader.Current.GroupId);

        Assert.All(await NamespacesOf(builder), pair => Assert.Equal(HostNamespace(pair.Key), pair.Value));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_namespace_is_joined_by_container_process_and_path(NamespaceKind kind)
    {
        await using Container first = await Sandbox.SleeperAsync();
        string expected = Processes.Namespace(first.ProcessId, NamespaceDescriptors.FileName(kind));
        foreach (Func<NamespaceKind, NamespaceSource> way in (Func<NamespaceKind, NamespaceSource>[])
            [
                _ => NamespaceSource.Of(first),
                _ => NamespaceSource.OfProcess(first.ProcessId),
                other => NamespaceSource.FromPath($"/proc/{first.ProcessId}/ns/{NamespaceDescriptors.FileName(other)}"),
            ])
        {
            // Entering a namespace takes privilege in the user namespace that owns it.
            ContainerBuilder builder = Lister().WithUserNs(way(NamespaceKind.User)).WithNamespace(kind, way(kind));
            List<NamespaceKind> joined = [NamespaceKind.User, kind];
            if (kind == NamespaceKind.Mount)
            {
                // The /proc there shows the processes of one pid namespace, and itself to nobody else.
                builder.WithPidNs(way(NamespaceKind.Pid));
                joined.Add(NamespaceKind.Pid);
            }

            Dictionary<NamespaceKind, string> inside = await NamespacesOf(builder);

            Assert.Equal(expected, inside[kind]);
            Assert.Equal(Processes.Namespace(first.ProcessId, "user"), inside[NamespaceKind.User]);
            foreach ((NamespaceKind other, string name) in inside)
                if (!joined.Contains(other)) Assert.NotEqual(Processes.Namespace(first.ProcessId, NamespaceDescriptors.FileName(other)), name);
        }
    }

    [Theory]
    [MemberData(nameof(KindsButUser))]
    public async Task Root_joins_what_a_container_owns_from_the_hosts_user_namespace(NamespaceKind kind)
    {
        Lane.RequiresRoot("the host's user namespace gives an unprivileged user no right to enter others'");
        await using Container first = await Sandbox.SleeperAsync(builder => builder.WithUserNs(NamespaceSource.Host));

        NamespaceKind[] kinds = kind == NamespaceKind.Mount ? [kind, NamespaceKind.Pid] : [kind];
        Dictionary<NamespaceKind, string> inside = await NamespacesOf(Lister().WithUserNs(NamespaceSource.Host).JoinNamespacesOf(first, kinds));

        Assert.Equal(Processes.Namespace(first.ProcessId, NamespaceDescriptors.FileName(kind)), inside[kind]);
    }

    [Fact]
    public async Task Joining_all_shows_the_same_processes_mounts_and_names()
    {
        await using Container first = await Sandbox.Host("sh", "-c", "echo mine > /tmp/mark; echo ready; exec sleep 1000")
            .WithHostName("first").BeginAsync();
        ContainerBuilder second = new ContainerBuilder().WithCommand("sh", "-c",
            "while ! [ -e /tmp/mark ]; do :; done; cat /tmp/mark; hostname; readlink /proc/1/exe; [ $$ != 1 ] && echo grandchild")
            .JoinNamespacesOf(first, Enum.GetValues<NamespaceKind>());

        string[] lines = await second.LinesAsync();

        Assert.Equal("mine", lines[0]);
        Assert.Equal("first", lines[1]);
        Assert.EndsWith("/sleep", lines[2], StringComparison.Ordinal);
        Assert.Equal("grandchild", lines[3]);
    }

    [Fact]
    public async Task A_container_that_has_ended_cannot_be_joined()
    {
        Container first = await Sandbox.SleeperAsync();
        await first.DisposeAsync();

        ContainerException refusal = await Lister().JoinNamespacesOf(first, NamespaceKind.User, NamespaceKind.Uts).RefusalAsync();

        Assert.Equal(ContainerErrorReason.NamespaceNotFound, refusal.Reason);
        Assert.Contains(first.Id, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_that_names_no_namespace_is_refused()
    {
        ContainerException missing = await Lister().WithUtsNs(NamespaceSource.FromPath("/run/netns/nowhere")).RefusalAsync();
        ContainerException other = await Lister().WithUtsNs(NamespaceSource.FromPath("/dev/null")).RefusalAsync();

        Assert.Equal(ContainerErrorReason.NamespaceNotFound, missing.Reason);
        Assert.Equal(Isolation.Linux.Errno.EINVAL, other.Errno);
    }

    private static ContainerBuilder Lister() =>
        Sandbox.Host(["readlink", .. Enum.GetValues<NamespaceKind>().Select(kind => "/proc/self/ns/" + NamespaceDescriptors.FileName(kind))]);

    private static async Task<Dictionary<NamespaceKind, string>> NamespacesOf(ContainerBuilder lister)
    {
        string[] lines = await lister.LinesAsync();
        return Enum.GetValues<NamespaceKind>().Zip(lines).ToDictionary(pair => pair.First, pair => pair.Second);
    }

    private static string HostNamespace(NamespaceKind kind) => new FileInfo("/proc/self/ns/" + NamespaceDescriptors.FileName(kind)).LinkTarget!;
}
