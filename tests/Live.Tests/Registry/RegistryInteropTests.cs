using Isolation.Images;

namespace Isolation.Live.Tests;

/// <summary>By way of Debian's registry the tools of the field see what was made here, entry by entry, and the other way round.</summary>
[Trait("Category", "Slow")]
public sealed class RegistryInteropTests : IAsyncLifetime
{
    private ImageWorkshop _workshop = null!;
    private RegistryProcess? _registry;

    public async ValueTask InitializeAsync() => _workshop = await ImageWorkshop.OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await _workshop.DisposeAsync();
        if (_registry is not null) await _registry.DisposeAsync();
    }

    [Theory]
    [InlineData("umoci")]
    [InlineData("podman")]
    [InlineData("buildah")]
    [InlineData("docker")]
    public async Task What_was_pushed_here_is_pulled_by(string tool)
    {
        ImageReference name = await BeginAsync(tool);
        Image image = await _workshop.MakeAsync();
        string[] expected = await _workshop.SeenHereAsync(image);
        await _workshop.Store.PushAsync(image, new() { Client = Anonymous(), Reference = name, ChunkSize = tool == "podman" ? 8192 : 0 }, Sandbox.Token);

        string seen = tool switch
        {
            "umoci" => await _workshop.UnpackWithUmociAsync(await CopyAsync($"docker://{name}", "--src-tls-verify=false", $"oci:{_workshop.Tools["layout"]}:rich", $"{_workshop.Tools["layout"]}:rich")),
            "podman" => await PullWithPodmanAsync(name),
            "buildah" => await _workshop.Tools.BuildahAsync("mount", await _workshop.Tools.BuildahAsync("from", "--tls-verify=false", name.ToString())),
            _ => await PullWithDockerAsync(name),
        };

        Assert.Equal(expected, TreeListing.Of(seen));
    }

    [Theory]
    [InlineData("umoci")]
    [InlineData("podman")]
    [InlineData("buildah")]
    [InlineData("docker")]
    public async Task What_others_pushed_is_pulled_here_and_runs(string tool)
    {
        ImageReference name = await BeginAsync(tool);
        string seen = tool switch
        {
            "umoci" => await PushWithUmociAsync(name),
            "podman" => await PushWithPodmanAsync(name),
            "buildah" => await PushWithBuildahAsync(name),
            _ => await PushWithDockerAsync(name),
        };

        Image image = await _workshop.Store.PullAsync(name, new() { Client = Anonymous() }, Sandbox.Token);

        Assert.True(image.Layers.Length >= 2, $"{image.Layers.Length} layers");
        Assert.Equal(TreeListing.Of(seen), await _workshop.SeenHereAsync(image));
        Assert.Equal("root:x:0:0::/:/bin/sh", (await new ContainerBuilder().FromImage(name).WithImageStore(_workshop.Store).WithEntrypoint("cat", "/etc/passwd").LinesAsync())[0]);
    }

    private static RegistryClient Anonymous() => new(new() { Credentials = RegistryFixture.Nobody });

    private async Task<ImageReference> BeginAsync(string tool)
    {
        ImageTools.Require(tool);
        ImageTools.Require("skopeo");
        _registry = await RegistryProcess.StartAsync();
        return ImageReference.Parse($"{_registry.Authority}/isolation/rich:1");
    }

    private async Task<string> CopyAsync(string from, string option, string to, string result)
    {
        await ImageTools.RunAsync("skopeo", "--tmpdir", _workshop.Directory.Path, "copy", option, from, to);
        return result;
    }

    private async Task<string> PullWithPodmanAsync(ImageReference name)
    {
        await _workshop.Tools.PodmanAsync("pull", "--tls-verify=false", name.ToString());
        return await _workshop.Tools.PodmanAsync("image", "mount", name.ToString());
    }

    private async Task<string> PullWithDockerAsync(ImageReference name)
    {
        await _workshop.Tools.DockerAsync("pull", name.ToString());
        Assert.StartsWith("root:x:0:0", await _workshop.Tools.DockerAsync("run", "--rm", "--network", "none", name.ToString(), "cat", "/etc/passwd"), StringComparison.Ordinal);
        return await _workshop.Tools.MountDockerAsync(name.ToString());
    }

    private async Task<string> PushWithUmociAsync(ImageReference name)
    {
        (string layout, string seen) = await _workshop.MakeWithUmociAsync();
        return await CopyAsync($"oci:{layout}:1", "--dest-tls-verify=false", $"docker://{name}", seen);
    }

    private async Task<string> PushWithPodmanAsync(ImageReference name)
    {
        (_, string seen) = await _workshop.MakeWithPodmanAsync("oci-archive");
        await _workshop.Tools.PodmanAsync("push", "--tls-verify=false", ImageWorkshop.Name, name.ToString());
        return seen;
    }

    private async Task<string> PushWithBuildahAsync(ImageReference name)
    {
        (_, string seen) = await _workshop.MakeWithBuildahAsync();
        await _workshop.Tools.BuildahAsync("push", "--tls-verify=false", ImageWorkshop.Name, $"docker://{name}");
        return seen;
    }

    private async Task<string> PushWithDockerAsync(ImageReference name)
    {
        (_, string seen) = await _workshop.MakeWithDockerAsync();
        await _workshop.Tools.DockerAsync("tag", ImageWorkshop.Name, name.ToString());
        await _workshop.Tools.DockerAsync("push", name.ToString());
        return seen;
    }
}
