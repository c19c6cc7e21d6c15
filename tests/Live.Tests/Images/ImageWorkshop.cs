using Isolation.Images;

namespace Isolation.Live.Tests;

/// <summary>Makes images of the same tree here and with the tools of the field, and tells what each sees in one.</summary>
internal sealed class ImageWorkshop : IAsyncDisposable
{
    internal const string Name = "localhost/isolation/rich:1";
    private readonly TemporaryDirectory _directory;
    private readonly ImageTools _tools = new();
    private readonly ImageStore _store;

    private ImageWorkshop(TemporaryDirectory directory, ImageStore store) => (_directory, _store) = (directory, store);

    internal ImageTools Tools => _tools;

    internal ImageStore Store => _store;

    internal TemporaryDirectory Directory => _directory;

    internal static async Task<ImageWorkshop> OpenAsync()
    {
        TemporaryDirectory directory = new();
        return new(directory, await ImageStore.OpenAsync(directory["store"], cancellationToken: Sandbox.Token));
    }

    public async ValueTask DisposeAsync()
    {
        await _tools.DisposeAsync();
        await ImageTools.RunAsync("rm", "-rf", _directory["store"]);
        _directory.Dispose();
    }

    /// <summary>Two layers: an archive that GNU tar made, and what a container has changed.</summary>
    internal async Task<Image> MakeAsync()
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
    internal async Task<string[]> SeenHereAsync(Image image, bool holes = false)
    {
        string tar = _directory["store/exported.tar"], to = _directory.MakeDirectory($"store/exported{Guid.NewGuid():N}");
        await _store.ExportAsync(image, tar, cancellationToken: Sandbox.Token);
        await ImageTools.RunAsync("tar", "--xattrs", "--xattrs-include=*", "--numeric-owner", "--same-owner", "-p", "-C", to, "-xf", tar);
        return TreeListing.Of(to, holes);
    }

    internal async Task<string> CopyForUmociAsync(string layout)
    {
        await ImageTools.RunAsync("skopeo", "--tmpdir", _directory.Path, "copy", $"oci:{layout}:{Name}", $"oci:{_tools["layout"]}:rich"); // umoci takes only short names
        return $"{_tools["layout"]}:rich";
    }

    internal async Task<string> UnpackWithUmociAsync(string image)
    {
        await ImageTools.RunAsync("umoci", "unpack", "--image", image, _tools["bundle"]);
        return _tools["bundle/rootfs"];
    }

    internal async Task<string> LoadWithPodmanAsync(string archive)
    {
        Assert.Contains(Name, await _tools.PodmanAsync("load", "-i", archive), StringComparison.Ordinal);
        return await _tools.PodmanAsync("image", "mount", Name);
    }

    internal async Task<string> LoadWithDockerAsync(string archive)
    {
        Assert.Contains(Name, await _tools.DockerAsync("load", "-i", archive), StringComparison.Ordinal);
        return await _tools.MountDockerAsync(Name);
    }

    internal async Task<(string Archive, string Seen)> MakeWithUmociAsync()
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

    internal async Task<(string Archive, string Seen)> MakeWithPodmanAsync(string format)
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

    internal async Task<(string Archive, string Seen)> MakeWithBuildahAsync()
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

    internal async Task<(string Archive, string Seen)> MakeWithDockerAsync()
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
