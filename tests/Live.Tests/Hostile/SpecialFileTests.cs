namespace Isolation.Live.Tests;

/// <summary>Root directories with pipes, sockets and files where directories are due, and the other way round.</summary>
public sealed class SpecialFileTests
{
    private static readonly string[] Targets = ["proc", "sys", "dev", "tmp", "run", "etc", "etc/hosts", "etc/resolv.conf", "etc/hostname", "data"];

    public static TheoryData<string, RootAccess> All => new(from kind in (string[])["pipe", "file", "directory"] from access in Enum.GetValues<RootAccess>() select (kind, access));

    [Theory]
    [MemberData(nameof(All))]
    public async Task In_the_place_of_a_mount_it_is_covered_or_refused(string kind, RootAccess access)
    {
        using TemporaryDirectory bound = new();
        foreach (string target in Targets)
        {
            using TestRoot root = new();
            await PlantAsync(root, target, kind);
            try
            {
                Assert.True((await root.Container(access, "true").WithBind(bound.Path, "/data").ResultAsync()).Succeeded);
            }
            catch (ContainerException refusal)
            {
                Assert.True(refusal.Reason is ContainerErrorReason.MountFailed or ContainerErrorReason.LaunchFailed, $"{target}: {refusal}");
            }
        }
    }

    [Theory]
    [InlineData("passwd")]
    [InlineData("group")]
    public async Task Names_are_not_waited_for_at_a_pipe(string name)
    {
        using TestRoot root = new();
        root.Write("etc/passwd", "worker:x:0:0::/:\n");
        await PlantAsync(root, "etc/" + name, "pipe");

        Task<ContainerResult> run = Task.Run(() => root.Container(RootAccess.ReadOnly, "true").WithUser("worker").RunAsync(Sandbox.Token), Sandbox.Token);

        ContainerException refusal = await Assert.ThrowsAsync<ContainerException>(() => run.WaitAsync(Sandbox.Token));
        Assert.Contains(name, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_names_without_end_is_not_read_to_the_end()
    {
        using TestRoot root = new();
        using (FileStream file = File.Create(root["etc/passwd"])) file.SetLength(1L << 40);

        ContainerException refusal = await root.Container(RootAccess.ReadOnly, "true").WithUser("worker").RefusalAsync();

        Assert.Contains("passwd", refusal.Message, StringComparison.Ordinal);
    }

    private static async Task PlantAsync(TestRoot root, string target, string kind)
    {
        string path = root[target];
        if (File.Exists(path)) File.Delete(path);
        else if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        switch (kind)
        {
            case "pipe":
                Assert.Equal(0, (await Sandbox.OnHostAsync("mkfifo", path)).ExitCode);
                break;
            case "file":
                File.WriteAllText(path, "");
                break;
            default:
                Directory.CreateDirectory(path);
                break;
        }
    }
}
