using System.Globalization;

namespace Isolation.Live.Tests;

/// <summary>The caller as root, and the ranges of /etc/subuid and /etc/subgid from 1 on.</summary>
public sealed class SubordinateIdTests
{
    [Fact]
    public async Task Root_is_the_caller_and_the_rest_the_callers_ranges()
    {
        (uint start, uint count) = Range("/etc/subuid");
        string[] lines = await Sandbox.Host("cat", "/proc/self/uid_map").WithSubordinateIds().LinesAsync();

        Assert.Equal([$"0 {HostFactsReader.Current.UserId} 1", $"1 {start} {count}"], lines.Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))));
    }

    [Fact]
    public async Task Files_change_hands_inside_and_belong_to_the_range_outside()
    {
        (uint user, _) = Range("/etc/subuid");
        (uint group, _) = Range("/etc/subgid");
        using TemporaryDirectory directory = new();
        ContainerBuilder builder = Sandbox.HostShell("touch /data/file && chown 7:9 /data/file && stat -c %u:%g /data/file")
            .WithBind(directory.Path, "/data").WithSubordinateIds();

        Assert.Equal("7:9", await builder.OutputAsync());
        (_, string owner, _) = await Sandbox.OnHostAsync("stat", "-c", "%u:%g", directory["file"]);
        Assert.Equal($"{user + 6}:{group + 8}", owner.Trim());
    }

    [Fact]
    public async Task The_program_runs_as_any_id_with_any_groups()
    {
        (uint start, _) = Range("/etc/subuid");
        using TestRoot root = new();
        root.Write("etc/passwd", "worker:x:1000:100:Worker:/srv:/bin/sh\n");
        root.Write("etc/group", "users:x:100:\nmedia:x:44:worker\n");
        await using Container container = await root.Shell("id -u; id -G; echo $HOME; read never < /dev/zero")
            .WithUser("worker").WithSubordinateIds().BeginAsync();

        string user = Processes.Status(await File.ReadAllTextAsync($"/proc/{container.ProcessId}/status", Sandbox.Token))["Uid"];
        await container.KillAsync(Sandbox.Token);

        Assert.Equal((start + 999).ToString(CultureInfo.InvariantCulture), user.Split('\t')[0]);
    }

    [Fact]
    public async Task Groups_are_those_of_the_containers_own_file()
    {
        Range("/etc/subuid");
        using TestRoot root = new();
        root.Write("etc/passwd", "worker:x:1000:100:Worker:/srv:/bin/sh\n");
        root.Write("etc/group", "users:x:100:\nmedia:x:44:worker\nother:x:45:\n");

        Assert.Equal(["1000", "100 44", "/srv"], await root.Shell("id -u; id -G; echo $HOME").WithUser("worker").WithSubordinateIds().LinesAsync());
    }

    private static (uint Start, uint Count) Range(string file)
    {
        Lane.RequiresUnprivileged("root maps every id without ranges, and has none");
        string[] lines = File.Exists(file) ? File.ReadAllLines(file) : [];
        string[]? range = lines.Select(line => line.Split(':')).FirstOrDefault(fields => fields.Length == 3 && fields[0] == Environment.UserName);
        Assert.SkipWhen(range is null, $"{Environment.UserName} has no range in {file}");
        return (uint.Parse(range[1], CultureInfo.InvariantCulture), uint.Parse(range[2], CultureInfo.InvariantCulture));
    }
}
