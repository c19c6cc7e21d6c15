using System.Text;

namespace Isolation.Live.Tests;

/// <summary>Files whose owners the caller is not, and may not be.</summary>
public sealed class FileOwnerTests
{
    [Fact]
    public async Task A_users_private_files_are_read_and_what_is_made_is_roots()
    {
        using TemporaryDirectory host = new();
        FileTree.Make(host["tree"]);
        ContainerBuilder builder = Sandbox.Host("sleep", "1000");
        SubordinateRange.Use(builder);
        await using Container container = await builder.BeginAsync();
        await container.ExecShellAsync("mkdir -p /tmp/private/below; echo mine > /tmp/private/below/f; chmod 600 /tmp/private/below/f; chmod -R go= /tmp/private; chown -R 1000:1000 /tmp/private");

        await container.Files.CopyToAsync(host["tree"], "/tmp/private/below/tree", cancellationToken: Sandbox.Token);
        using (Stream stream = container.Files.OpenWrite("/tmp/private/new")) stream.Write("new"u8);
        using (Stream stream = container.Files.OpenWrite("/tmp/private/below/f", FileMode.Append)) stream.Write("more"u8);
        await container.Files.CopyFromAsync("/tmp/private", host["back"], cancellationToken: Sandbox.Token);

        bool attributes = Environment.OSVersion.Version >= new Version(6, 6);
        Assert.Equal(await FileTree.OfAsync(host["tree"], attributes), await FileTree.OfAsync(host["back/below/tree"], attributes));
        Assert.Equal("mine\nmore", await File.ReadAllTextAsync(host["back/below/f"], Sandbox.Token));
        Assert.Equal("0:0 0:0 1000:1000", (await container.ExecShellAsync("stat -c %u:%g /tmp/private/new /tmp/private/below/tree/a/plain /tmp/private/below/f")).Replace('\n', ' '));
        using StreamReader reader = new(container.Files.OpenRead("/tmp/private/below/f"), Encoding.UTF8);
        Assert.Equal("mine\nmore", await reader.ReadToEndAsync(Sandbox.Token));
        Assert.Equal([1000u], container.Files.Enumerate("/tmp/private").Where(entry => entry.Name == "below").Select(entry => entry.UserId));
        Assert.True(container.Files.Exists("/tmp/private/below/f"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ids_of_the_containers_own_are_kept_to(bool bind)
    {
        Lane.RequiresRoot("others may map no id but their own");
        using TemporaryDirectory host = new();
        FileTree.Make(host["tree"]);
        host.MakeDirectory("bound");
        ContainerBuilder builder = Sandbox.Host("sleep", "1000").WithUserMapping(new IdMapping(0, 300000, 65536)).WithGroupMapping(new IdMapping(0, 400000, 65536));
        if (bind) builder.WithBind(host["bound"], "/mnt");
        File.SetUnixFileMode(host["bound"], (UnixFileMode)0x1FF);
        await using Container container = await builder.BeginAsync();
        string at = bind ? "/mnt" : "/tmp";
        await container.PauseAsync(Sandbox.Token);

        await container.Files.CopyToAsync(host["tree"], at + "/tree", cancellationToken: Sandbox.Token);
        using (Stream stream = container.Files.OpenWrite(at + "/new")) stream.Write("new"u8);
        await container.Files.CopyFromAsync(at + "/tree", host["back"], cancellationToken: Sandbox.Token);

        await container.ResumeAsync(Sandbox.Token);
        Assert.Equal(await FileTree.OfAsync(host["tree"]), await FileTree.OfAsync(host["back"]));
        Assert.Equal("0:0", await container.ExecShellAsync($"find {at}/tree {at}/new | while read -r f; do stat -c %u:%g \"$f\"; done | sort -u"));
        Assert.All(container.Files.Enumerate(at, recursive: true), entry => Assert.Equal((0u, 0u), (entry.UserId, entry.GroupId)));
        if (bind) Assert.Equal("300000:400000", (await Sandbox.OnHostAsync("stat", "-c", "%u:%g", host["bound/tree/a/plain"])).Output.Trim());
    }

    [Fact]
    public async Task A_program_that_is_another_user_is_looked_at_all_the_same()
    {
        ContainerBuilder builder = Sandbox.HostShell("umask 077; echo secret > /tmp/f; echo ready; exec sleep 1000").WithUser("1000:1000").WithOutput(OutputTarget.Pipe);
        SubordinateRange.Use(builder);
        await using Container container = await builder.BeginAsync();
        await container.StandardOutput.ReadUntilAsync("ready");

        using StreamReader reader = new(container.Files.OpenRead("/tmp/f"));

        Assert.Equal("secret\n", await reader.ReadToEndAsync(Sandbox.Token));
    }
}
