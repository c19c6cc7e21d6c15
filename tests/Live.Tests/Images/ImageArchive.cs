using System.Security.Cryptography;

namespace Isolation.Live.Tests;

/// <summary>An image as docker-save(1) would write it, made by GNU tar of a small root file system.</summary>
internal sealed class ImageArchive : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private ImageArchive()
    {
    }

    internal string Path => _directory["image.tar"];

    internal string this[string name] => _directory[name];

    /// <param name="name">Of the image.</param>
    /// <param name="program">The member <c>config</c> of its configuration.</param>
    /// <param name="fill">Fills a second layer over the root file system.</param>
    internal static async Task<ImageArchive> MakeAsync(string name, string program, Action<TemporaryDirectory>? fill = null)
    {
        ImageArchive archive = new();
        using TestRoot root = new();
        using TemporaryDirectory second = new();
        fill?.Invoke(second);
        await TarAsync("-C", root.Path, "-cf", archive["one.tar"], ".");
        await TarAsync("-C", second.Path, "-cf", archive["two.tar"], ".");
        string diffIds = string.Join(',', ((string[])["one.tar", "two.tar"]).Select(layer => $"\"sha256:{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(archive[layer])))}\""));
        string architecture = Isolation.Images.Platform.Current.Architecture;
        archive._directory.Write("config.json", $$"""{"architecture":"{{architecture}}","os":"linux","config":{{program}},"rootfs":{"type":"layers","diff_ids":[{{diffIds}}]},"x-unknown":1}""");
        archive._directory.Write("manifest.json", $$"""[{"Config":"config.json","RepoTags":["{{name}}"],"Layers":["one.tar","two.tar"]}]""");
        await TarAsync("-C", archive._directory.Path, "-cf", archive.Path, "one.tar", "two.tar", "config.json", "manifest.json");
        return archive;
    }

    public void Dispose() => _directory.Dispose();

    private static async Task TarAsync(params string[] arguments)
    {
        (int code, _, string error) = await Sandbox.OnHostAsync("tar", ["--owner=0", "--group=0", .. arguments]);
        Assert.True(code == 0, error);
    }
}
