using Isolation.Images;

namespace Isolation.Live.Tests;

/// <summary>Images that are made here are read by others, and theirs here: both see the same tree, entry by entry.</summary>
[Trait("Category", "Slow")]
public sealed class InteropTests : IAsyncLifetime
{
    private const string Name = ImageWorkshop.Name;
    private ImageWorkshop _workshop = null!;

    public async ValueTask InitializeAsync() => _workshop = await ImageWorkshop.OpenAsync();

    public ValueTask DisposeAsync() => _workshop.DisposeAsync();

    [Theory]
    [InlineData("umoci")]
    [InlineData("podman")]
    [InlineData("podman", ArchiveFormat.Docker)]
    [InlineData("buildah")]
    [InlineData("docker", ArchiveFormat.Docker)]
    public async Task An_image_that_was_made_here_is_read_by(string tool, ArchiveFormat format = ArchiveFormat.Oci)
    {
        ImageTools.Require(tool);
        Image image = await _workshop.MakeAsync();
        string[] expected = await _workshop.SeenHereAsync(image);
        string archive = _workshop.Tools["saved"];
        await _workshop.Store.SaveAsync([image], archive, tool is "umoci" or "buildah" ? ArchiveFormat.Layout : format, Sandbox.Token);

        string seen = tool switch
        {
            "umoci" => await _workshop.UnpackWithUmociAsync(await _workshop.CopyForUmociAsync(archive)),
            "podman" => await _workshop.LoadWithPodmanAsync(archive),
            "buildah" => await _workshop.Tools.BuildahAsync("mount", await _workshop.Tools.BuildahAsync("from", "--pull-never", await _workshop.Tools.BuildahAsync("pull", $"oci:{archive}:{Name}"))),
            _ => await _workshop.LoadWithDockerAsync(archive),
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
            "umoci" => await _workshop.MakeWithUmociAsync(),
            "podman" => await _workshop.MakeWithPodmanAsync(format),
            "buildah" => await _workshop.MakeWithBuildahAsync(),
            _ => await _workshop.MakeWithDockerAsync(),
        };

        Image image = Assert.Single(await _workshop.Store.LoadAsync(archive, cancellationToken: Sandbox.Token));

        Assert.True(image.Layers.Length >= 2, $"{image.Layers.Length} layers");
        Assert.Equal(TreeListing.Of(seen), await _workshop.SeenHereAsync(image));
        Assert.Equal("root:x:0:0::/:/bin/sh", (await new ContainerBuilder().FromImage(image).WithImageStore(_workshop.Store).WithEntrypoint("cat", "/etc/passwd").LinesAsync())[0]);
    }

    [Fact]
    public async Task A_root_file_system_comes_back_as_it_went_with_its_holes()
    {
        ImageTools.Require("umoci");
        string from = _workshop.Directory.MakeDirectory("store/from");
        await RichTree.FillAsync(from);
        string tar = _workshop.Directory["store/root.tar"];
        await ImageTools.RunAsync("tar", "--format=posix", "--xattrs", "--xattrs-include=*", "--sparse", "--numeric-owner", "-C", from, "-cf", tar, ".");
        CommitOptions options = new() { Created = DateTimeOffset.UnixEpoch.AddYears(60) };

        Image image = await _workshop.Store.ImportAsync(tar, options, cancellationToken: Sandbox.Token);

        Assert.Equal(TreeListing.Of(from, holes: true), await _workshop.SeenHereAsync(image, holes: true));
        Assert.Equal(image.Digest, (await _workshop.Store.ImportAsync(tar, options, cancellationToken: Sandbox.Token)).Digest);
        Image ofDirectory = await _workshop.Store.ImportAsync(from, options, cancellationToken: Sandbox.Token);
        Assert.Equal(ofDirectory.Digest, (await _workshop.Store.ImportAsync(from, options, cancellationToken: Sandbox.Token)).Digest);
        Assert.Equal(TreeListing.Of(from, holes: true), await _workshop.SeenHereAsync(ofDirectory, holes: true));
    }
}
