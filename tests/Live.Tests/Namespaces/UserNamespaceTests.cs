using System.Globalization;

namespace Isolation.Live.Tests;

public sealed class UserNamespaceTests
{
    [Fact]
    public async Task By_default_the_caller_is_root_inside()
    {
        string[] lines = await Sandbox.HostShell("id -u; id -g; cat /proc/self/uid_map; cat /proc/self/gid_map").LinesAsync();

        string map = Lane.IsRoot ? "0 0 4294967295" : $"0 {HostFactsReader.Current.UserId} 1";
        string groups = Lane.IsRoot ? "0 0 4294967295" : $"0 {HostFactsReader.Current.GroupId} 1";
        Assert.Equal(["0", "0", map, groups], lines.Select(Squeeze));
    }

    [Fact]
    public async Task Seen_from_the_host_the_program_is_the_caller()
    {
        await using Container container = await Sandbox.SleeperAsync();

        string user = Processes.Status(await File.ReadAllTextAsync($"/proc/{container.ProcessId}/status", Sandbox.Token))["Uid"];

        Assert.Equal(string.Join('\t', Enumerable.Repeat(HostFactsReader.Current.UserId, 4)), user);
    }

    [Fact]
    public async Task One_id_can_be_mapped_to_another_than_root()
    {
        uint user = HostFactsReader.Current.UserId, group = HostFactsReader.Current.GroupId;
        ContainerBuilder builder = Sandbox.HostShell("id -u; id -g").WithUserMapping(new IdMapping(5, user, 1)).WithGroupMapping(new IdMapping(6, group, 1));

        ContainerException refusal = await builder.RefusalAsync();
        Assert.Equal(ContainerErrorReason.IdNotMapped, refusal.Reason);
        Assert.Equal(["5", "6"], await builder.WithUser(5, 6).LinesAsync());
    }

    [Fact]
    public async Task Ranges_are_mapped_as_they_are_given()
    {
        Lane.RequiresRoot("an unprivileged user maps its own id only; see the tests of subordinate ids");
        IdMapping[] map = [new(0, 100_000, 1000), new(2000, 300_000, 5)];
        string[] lines = await Sandbox.Host("cat", "/proc/self/uid_map", "/proc/self/gid_map").WithUserMapping(map).WithGroupMapping(map).LinesAsync();
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithUserMapping(map).WithGroupMapping(map).WithUser(2003, 2004));

        Dictionary<string, string> status = Processes.Status(await File.ReadAllTextAsync($"/proc/{container.ProcessId}/status", Sandbox.Token));

        Assert.Equal("300003", status["Uid"].Split('\t')[0]);
        Assert.Equal("300004", status["Gid"].Split('\t')[0]);
        Assert.Equal(["0 100000 1000", "2000 300000 5", "0 100000 1000", "2000 300000 5"], lines.Select(Squeeze));
    }

    [Fact]
    public async Task Somebody_elses_id_cannot_be_mapped()
    {
        Lane.RequiresUnprivileged("root may map any id");
        ContainerBuilder builder = Sandbox.Host("true").WithUserMapping(new IdMapping(0, 0, 1)).WithGroupMapping(new IdMapping(0, 0, 1));

        ContainerException refusal = await builder.RefusalAsync();

        Assert.Equal(ContainerErrorReason.IdentityMapFailed, refusal.Reason);
        Assert.NotNull(refusal.Remedy);
    }

    [Fact]
    public async Task An_id_that_is_not_mapped_is_refused()
    {
        ContainerBuilder builder = Sandbox.Host("true").WithUser(70_000, 70_000)
            .WithUserMapping(new IdMapping(0, HostFactsReader.Current.UserId, 1)).WithGroupMapping(new IdMapping(0, HostFactsReader.Current.GroupId, 1));

        ContainerException refusal = await builder.RefusalAsync();

        Assert.Equal(ContainerErrorReason.IdNotMapped, refusal.Reason);
        Assert.Contains(70_000.ToString(CultureInfo.InvariantCulture), refusal.Message, StringComparison.Ordinal);
    }

    private static string Squeeze(string line) => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
