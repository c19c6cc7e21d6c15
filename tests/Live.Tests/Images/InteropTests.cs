using Isolation.Images;

namespace Isolation.Live.Tests;

/// <summary>Images that are made here are read by others, and theirs here: both see the same tree, entry by entry.</summary>
[Trait("Category", "Slow")]
public sealed class InteropTests : IAsyncLifetime
{
    private const string Name = "localhost/isolation/rich:1";
    private readonly TemporaryDirectory _directory = new();
    private ImageTools _tools = null!;
    private ImageStore _store = null!;

    public async ValueTask InitializeAsync()
    {
        _tools = new();
        _store = await ImageStore.OpenAsync(_directory["store"], cancellationToken: Sandbox.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _tools.DisposeAsync();
        await ImageTools.RunAsync("rm", "-rf", _directory["store"]);
        _directory.Dispose();
    }

    [Theory]
    [InlineData("umoci")]
    [InlineData("podman")]
    [InlineData("podman", ArchiveFormat.Docker)]
    [InlineData("buildah")]
    [InlineData("docker", ArchiveFormat.Docker)]
    public async Task An_image_that_was_made_here_is_read_by(string tool, ArchiveFormat format = ArchiveFormat.Oci)
    {
        ImageTools.Require(tool);
        Image image = await MakeAsync();
        string[] expected = await SeenHereAsync(image);
        string archive = _tools["saved"];
        await _store.SaveAsync([image], archive, tool is "umoci" or "buildah" ? ArchiveFormat.Layout : format, Sandbox.Token);

        string seen = tool switch
        {
            "umoci" => await UnpackWithUmociAsync(await CopyForUmociAsync(archive)),
            "podman" => await LoadWithPodmanAsync(archive),
            "buildah" => await _tools.BuildahAsync("mount", await _tools.BuildahAsync("from", "--pull-never", await _tools.BuildahAsync("pull", $"oci:{archive}:{Name}"))),
            _ => await LoadWithDockerAsync(archive),
        };

        Assert.Equal(expected, TreeListing.Of(seen));
    }

    [Theory]
    [InlineData("umoci")]
    [InlineData("podman", "docker-archive")]
    [InlineData("podman", "oci-archive")]
    [InlineData("buildah")]
    [InlineData("docker")]
    public async Task What_was_made_by_others_is_read_here(string tool, string format = "")
    {
        ImageTools.Require(tool);
        (string archive, string seen) = tool switch
        {
            "umoci" => await MakeWithUmociAsync(),
            "podman" => await MakeWithPodmanAsync(format),
            "buildah" => await MakeWithBuildahAsync(),
            _ => await MakeWithDockerAsync(),
        };

        Image image = Assert.Single(await _store.LoadAsync(archive, cancellationToken: Sandbox.Token));

        Assert.True(image.Layers.Length >= 2, $"{image.Layers.Length} layers");
        Assert.Equal(TreeListing.Of(seen), await SeenHereAsync(image));
        Assert.Equal("root:x:0:0::/:/bin/sh", (await new ContainerBuilder().FromImage(image).WithImageStore(_store).WithEntrypoint("cat", "/etc/passwd").LinesAsync())[0]);
    }

    [Fact]
    public async Task A_root_file_system_comes_back_as_it_went_with_its_holes()
    {
        ImageTools.Require("umoci");
        string from = _directory.MakeDirectory("store/from");
        await RichTree.FillAsync(from);
        string tar = _directory["store/root.tar"];
        await ImageTools.RunAsync("tar", "--format=posix", "--xattrs", "--xattrs-include=*", "--sparse", "--numeric-owner", "-C", from, "-cf", tar, ".");
        CommitOptions options = new() { Created = DateTimeOffset.UnixEpoch.AddYears(60) };

        Image image = await _store.ImportAsync(tar, options, cancellationToken: Sandbox.Token);

        Assert.Equal(TreeListing.Of(from, holes: true), await SeenHereAsync(image, holes: true));
        Assert.Equal(image.Digest, (await _store.ImportAsync(tar, options, cancellationToken: Sandbox.Token)).Digest);
        Image ofDirectory = await _store.ImportAsync(from, options, cancellationToken: Sandbox.Token);
        Assert.Equal(ofDirectory.Digest, (await _store.ImportAsync(from, options, cancellationToken: Sandbox.Token)).Digest);
        Assert.Equal(TreeListing.Of(from, holes: true), await SeenHereAsync(ofDirectory, holes: true));
    }

    /// <summary>Two layers: an archive that GNU tar made, and what a container has changed.</summary>
    private async Task<Image> MakeAsync()
    {
        string from = _directory.MakeDirectory("store/from"), tar = _directory["store/root.tar"];
        await RichTree.FillAsync(from);
        await ImageTools.RunAsync("tar", "--format=posix", "--xattrs", "--xattrs-include=*", "--sparse", "--numeric-owner", "-C", from, "-cf", tar, ".");
        Image image = await _store.ImportAsync(tar, new() { Configure = config => config with { Environment = ["PATH=/bin"] } }, cancellationToken: Sandbox.Token);
        await using Container container = await new ContainerBuilder().FromImage(image).WithImageStore(_store).WithCommand("/bin/sh", "-ec", RichTree.Changes).StartAsync(Sandbox.Token);
        Sandbox.Output(await container.EndAsync());
        return await container.CommitAsync(_store, new() { Reference = ImageReference.Parse(Name) }, Sandbox.Token);
    }

    /// <summary>The tree as it is exported, and unpacked by GNU tar.</summary>
    private async Task<string[]> SeenHereAsync(Image image, bool holes = false)
    {
        string tar = _directory["store/exported.tar"], to = _directory.MakeDirectory($"store/exported{Guid.NewGuid():N}");
        await _store.ExportAsync(image, tar, cancellationToken: Sandbox.Token);
        await ImageTools.RunAsync("tar", "--xattrs", "--xattrs-include=*", "--numeric-owner", "--same-owner", "-p", "-C", to, "-xf", tar);
        return TreeListing.Of(to, holes);
    }

    private async Task<string> CopyForUmociAsync(string layout)
    {
        await ImageTools.RunAsync("skopeo", "--tmpdir", _directory.Path, "copy", $"oci:{layout}:{Name}", $"oci:{_tools["layout"]}:rich"); // umoci takes only short names
        return $"{_tools["layout"]}:rich";
    }

    private async Task<string> UnpackWithUmociAsync(string image)
    {
        await ImageTools.RunAsync("umoci", "unpack", "--image", image, _tools["bundle"]);
        return _tools["bundle/rootfs"];
    }

    private async Task<string> LoadWithPodmanAsync(string archive)
    {
        Assert.Contains(Name, await _tools.PodmanAsync("load", "-i", archive), StringComparison.Ordinal);
        return await _tools.PodmanAsync("image", "mount", Name);
    }

    private async Task<string> LoadWithDockerAsync(string archive)
    {
        Assert.Contains(Name, await _tools.DockerAsync("load", "-i", archive), StringComparison.Ordinal);
        return await _tools.MountDockerAsync(Name);
    }

    private async Task<(string Archive, string Seen)> MakeWithUmociAsync()
    {
        string layout = _tools["layout"], image = $"{layout}:1", bundle = _tools["first"];
        await ImageTools.RunAsync("umoci", "init", "--layout", layout);
        await ImageTools.RunAsync("umoci", "new", "--image", image);
        foreach (Func<string, Task> change in (Func<string, Task>[])[RichTree.FillAsync, RichTree.ChangeAsync])
        {
            await ImageTools.RunAsync("umoci", "unpack", "--image", image, bundle);
            await change(Path.Join(bundle, "rootfs"));
            await ImageTools.RunAsync("umoci", "repack", "--image", image, bundle);
            await ImageTools.RunAsync("rm", "-rf", bundle);
        }

        return (layout, await UnpackWithUmociAsync(image));
    }

    private async Task<(string Archive, string Seen)> MakeWithPodmanAsync(string format)
    {
        string from = _directory.MakeDirectory("store/from"), tar = _directory["store/root.tar"], archive = _tools["saved"];
        await RichTree.FillAsync(from);
        await ImageTools.RunAsync("tar", "--format=posix", "--xattrs", "--xattrs-include=*", "-C", from, "-cf", tar, ".");
        await _tools.PodmanAsync("import", tar, "localhost/base");
        string container = await _tools.PodmanAsync("create", "localhost/base", "/bin/true");
        await RichTree.ChangeAsync(await _tools.PodmanAsync("mount", container));
        await _tools.PodmanAsync("unmount", container);
        await _tools.PodmanAsync("commit", container, Name);
        await _tools.PodmanAsync("rm", container);
        await _tools.PodmanAsync("save", "--format", format, "-o", archive, Name);
        return (archive, await _tools.PodmanAsync("image", "mount", Name));
    }

    private async Task<(string Archive, string Seen)> MakeWithBuildahAsync()
    {
        string layout = _tools["layout"], from = "scratch";
        foreach (Func<string, Task> change in (Func<string, Task>[])[RichTree.FillAsync, RichTree.ChangeAsync])
        {
            string container = await _tools.BuildahAsync("from", "--pull-never", from);
            await change(await _tools.BuildahAsync("mount", container));
            await _tools.BuildahAsync("unmount", container);
            from = await _tools.BuildahAsync("commit", "--rm", container, Name);
        }

        await _tools.BuildahAsync("push", Name, $"oci:{layout}:1");
        return (layout, await _tools.BuildahAsync("mount", await _tools.BuildahAsync("from", "--pull-never", Name)));
    }

    private async Task<(string Archive, string Seen)> MakeWithDockerAsync()
    {
        string from = _directory.MakeDirectory("store/from"), tar = _directory["store/root.tar"], archive = _tools["saved"];
        await RichTree.FillAsync(from);
        await ImageTools.RunAsync("tar", "--format=posix", "--xattrs", "--xattrs-include=*", "-C", from, "-cf", tar, ".");
        await _tools.DockerAsync("import", tar, "base");
        await _tools.DockerAsync("run", "--name", "changed", "--network", "none", "base", "/bin/sh", "-ec", RichTree.Changes);
        await _tools.DockerAsync("commit", "changed", Name);
        await _tools.DockerAsync("rm", "changed");
        await _tools.DockerAsync("save", "-o", archive, Name);
        return (archive, await _tools.MountDockerAsync(Name));
    }
}
