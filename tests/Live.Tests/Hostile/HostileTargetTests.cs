namespace Isolation.Live.Tests;

/// <summary>
/// Root directories with symbolic links where a container mounts or writes something. Nothing outside the root may be
/// written, made or mounted over; the launch works inside the root or fails with a reason.
/// </summary>
public sealed class HostileTargetTests
{
    private static readonly string[] Targets = ["proc", "sys", "dev", "tmp", "run", "etc", "etc/hosts", "etc/resolv.conf", "etc/hostname", "data", "data/below", "masked", "readonly"];

    public static TheoryData<string, RootAccess> All => new(from target in Targets from access in Enum.GetValues<RootAccess>() select (target, access));

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_link_leads_nowhere_outside(string target, RootAccess access)
    {
        using TemporaryDirectory host = new();
        host.Write("directory/canary", "host");
        host.Write("directory/below/canary", "host");
        host.Write("file", "host");
        using TemporaryDirectory bound = new();
        bool isFile = target.StartsWith("etc/", StringComparison.Ordinal);
        string canary = host[isFile ? "file" : "directory"];
        string[] links = [canary, string.Concat(Enumerable.Repeat("../", 20)) + canary[1..], "/nowhere/at/all", Path.GetFileName(target), "/proc/self/root" + canary, "/proc/self/fd/3"];
        foreach (string link in links)
        {
            using TestRoot root = new();
            Plant(root, target, link);
            string[] before = TreeSnapshot.Of(host.Path);
            ContainerBuilder builder = root.Shell(Writer(), access).WithHostName("evil").WithDns("192.0.2.66")
                .WithBind(bound.Path, target == "data/below" ? "/data/below" : "/data").WithMaskedPath("/masked").WithReadOnlyPath("/readonly");

            string outcome;
            try
            {
                ContainerResult result = await builder.ResultAsync();
                Assert.True(result.Succeeded, $"{link}: {result} {result.StandardError}");
                outcome = result.StandardOutput;
            }
            catch (ContainerException refusal)
            {
                outcome = refusal.Message;
                Assert.NotEmpty(refusal.Message);
            }

            Assert.True(before.SequenceEqual(TreeSnapshot.Of(host.Path)), $"{target} -> {link}: the host's files changed; {outcome}");
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_link_to_a_place_inside_works_inside(string target, RootAccess access)
    {
        using TestRoot root = new();
        using TemporaryDirectory bound = new();
        bound.Write("mark", "bound");
        bool isFile = target.StartsWith("etc/", StringComparison.Ordinal);
        if (isFile) root.Write("elsewhere/place", "");
        else root.MakeDirectory("elsewhere/place/below");
        Plant(root, target, "/elsewhere/place");
        ContainerBuilder builder = root.Shell("cat /data/mark", access).WithBind(bound.Path, "/data");

        ContainerResult result;
        try
        {
            result = await builder.ResultAsync();
        }
        catch (ContainerException refusal)
        {
            Assert.Fail($"{target} -> /elsewhere/place: {refusal.Message}");
            return;
        }

        if (target != "data/below") Assert.Equal("bound", result.StandardOutput);
    }

    [Fact]
    public async Task A_root_that_is_a_link_is_the_directory_it_points_to()
    {
        using TestRoot root = new();
        root.Write("mark", "here");
        using TemporaryDirectory directory = new();
        File.CreateSymbolicLink(directory["link"], root.Path);

        foreach (RootAccess access in Enum.GetValues<RootAccess>())
            Assert.Equal("here", await new ContainerBuilder().FromDirectory(directory["link"], access).WithCommand("cat", "/mark").OutputAsync());
    }

    private static void Plant(TestRoot root, string target, string link)
    {
        string path = root[target];
        if (target == "data/below") Directory.CreateDirectory(root["data"]);
        if (File.Exists(path)) File.Delete(path);
        else if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        File.CreateSymbolicLink(path, link);
    }

    // Writes wherever the container can; failures are the point.
    private static string Writer() => string.Join('\n', Targets.Select(target =>
        $"echo evil > /{target} 2>/dev/null; echo evil > /{target}/canary 2>/dev/null; touch /{target}/evil 2>/dev/null; mkdir /{target}/evil-directory 2>/dev/null"))
        + "\nexit 0";
}
