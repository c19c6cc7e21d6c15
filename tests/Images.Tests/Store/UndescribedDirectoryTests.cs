using System.Text;
using Isolation.Linux;

namespace Isolation.Images.Tests;

/// <summary>Directories that a layer has files in and no entry of are as the layers below say, as after unpacking one over the other into one directory.</summary>
public sealed class UndescribedDirectoryTests : IDisposable
{
    private static readonly (long, uint) Then = (1_000_000_000, 123_456_789);

    private readonly StoreDirectory _directory = new();

    [Fact]
    public async Task They_are_as_the_layer_below_says()
    {
        Dictionary<string, TarEntry> tree = await MergedAsync(
            [Described("./", 0x1C0, 7, 8), Described("etc/", 0x1ED, 1, 2), Described("etc/deep/", 0x5C5 /* 02705 */, 3, 4, ("user.key", "value")), LayerDirectory.FileOf("etc/deep/old")],
            [LayerDirectory.FileOf("etc/deep/new"), LayerDirectory.FileOf("other/new")]);

        Assert.Equal((0x1C0u, 7u, 8u, Then), Of(tree[""]));
        Assert.Equal((0x1EDu, 1u, 2u, Then), Of(tree["etc"]));
        Assert.Equal((0x5C5u, 3u, 4u, Then), Of(tree["etc/deep"]));
        Assert.Equal(["user.key=value"], tree["etc/deep"].Attributes.Select(attribute => $"{Encoding.UTF8.GetString(attribute.Name)}={Encoding.UTF8.GetString(attribute.Value)}"));
        Assert.Equal((0x1EDu, 0u, 0u), (tree["other"].Mode, tree["other"].Uid, tree["other"].Gid)); // nobody describes it
        Assert.Equal(["", "etc", "etc/deep", "etc/deep/new", "etc/deep/old", "other", "other/new"], tree.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_nearest_layer_below_that_describes_them_counts()
    {
        Dictionary<string, TarEntry> tree = await MergedAsync(
            [Described("a/", 0x1C0, 1, 1), Described("b/", 0x1C0, 1, 1)],
            [Described("a/", 0x1E8, 2, 2)],
            [LayerDirectory.FileOf("a/one"), LayerDirectory.FileOf("b/one")],
            [LayerDirectory.FileOf("a/two"), LayerDirectory.FileOf("b/two"), Described("b/", 0x1F8, 3, 3)]);

        Assert.Equal((0x1E8u, 2u, 2u, Then), Of(tree["a"]));
        Assert.Equal((0x1F8u, 3u, 3u, Then), Of(tree["b"]));
    }

    [Fact]
    public async Task What_was_removed_between_says_nothing()
    {
        Dictionary<string, TarEntry> tree = await MergedAsync(
            [Described("a/", 0x1C0, 1, 1), Described("a/in/", 0x1C0, 1, 1), Described("b/", 0x1C0, 1, 1), Described("c/", 0x1C0, 1, 1), Described("d/", 0x1C0, 1, 1), Described("d/in/", 0x1C0, 1, 1)],
            [LayerDirectory.FileOf(".wh.a"), LayerDirectory.FileOf("b"), LayerDirectory.FileOf("d/.wh..wh..opq")],
            [LayerDirectory.FileOf("a/in/one"), LayerDirectory.FileOf("d/in/one"), LayerDirectory.FileOf(".wh.c"), LayerDirectory.FileOf("c/one")]);

        foreach (string name in (string[])["a", "a/in", "d/in", "c"]) Assert.Equal((0x1EDu, 0u, 0u), (tree[name].Mode, tree[name].Uid, tree[name].Gid));
        Assert.Equal((0x1C0u, 1u, 1u, Then), Of(tree["d"])); // emptied, and not made anew
        Assert.Equal(TarType.Regular, tree["b"].Type);
    }

    [Fact]
    public async Task What_an_upper_layer_removes_does_not_come_back()
    {
        Dictionary<string, TarEntry> tree = await MergedAsync(
            [Described("a/", 0x1C0, 1, 1), Described("a/in/", 0x1C0, 1, 1), Described("b/", 0x1C0, 1, 1)],
            [LayerDirectory.FileOf("a/in/one"), LayerDirectory.FileOf("b/one")],
            [LayerDirectory.FileOf(".wh.a"), LayerDirectory.FileOf("b")]);

        Assert.Equal(["", "b"], tree.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Layers_that_describe_all_they_have_need_no_more()
    {
        (ImageStore store, Image image) = await LoadAsync([Described("./", 0x1ED, 0, 0), Described("a/", 0x1C0, 1, 1)], [Described("./", 0x1ED, 0, 0), Described("a/", 0x1ED, 1, 1), LayerDirectory.FileOf("a/one")]);

        Assert.Equal(2, (await store.UnpackAsync(image, StoreDirectory.Token)).Layers.Count);
        Assert.False(Directory.Exists(_directory["isolation/directories"]));
    }

    [Fact]
    public async Task They_are_shared_kept_verified_repaired_and_collected_with_their_image()
    {
        (ImageStore store, Image image) = await LoadAsync([Described("a/", 0x1C0, 1, 1)], [LayerDirectory.FileOf("a/one")]);
        UnpackedImage one = await store.UnpackAsync(image, StoreDirectory.Token), two = await store.UnpackAsync(image, StoreDirectory.Token);
        Assert.Equal(3, one.Layers.Count);
        Assert.Equal(one.Layers, two.Layers);
        Assert.Empty(await store.VerifyAsync(StoreDirectory.Token));

        Directory.SetLastWriteTimeUtc(one.Layers[2] + "/a", DateTime.UnixEpoch);
        StoreDamage damage = Assert.Single(await store.VerifyAsync(StoreDirectory.Token));
        Assert.Equal([image.Reference!.ToString()], damage.Images);
        Assert.Equal(damage, Assert.Single(await store.RepairAsync(StoreDirectory.Token)), (first, second) => first.What == second.What); // it is used
        one.Release();
        two.Release();
        Assert.Empty(await store.RepairAsync(StoreDirectory.Token));
        Assert.Equal(one.Layers, (await store.UnpackAsync(image, StoreDirectory.Token) is var again ? again : null)!.Layers);
        Assert.Empty(await store.VerifyAsync(StoreDirectory.Token));

        await store.CollectAsync(StoreDirectory.Token);
        Assert.True(Directory.Exists(one.Layers[2]));
        await store.RemoveAsync(image.Reference!, StoreDirectory.Token);
        await store.CollectAsync(StoreDirectory.Token);
        Assert.True(Directory.Exists(one.Layers[2])); // a container may run on it
        again.Release();
        await store.CollectAsync(StoreDirectory.Token);
        Assert.Empty(Directory.GetFileSystemEntries(_directory["isolation/directories"]));
        Assert.Empty(Directory.GetFileSystemEntries(_directory["isolation/layers"]));
    }

    [Fact]
    public async Task A_repaired_layer_takes_what_lies_over_it_along()
    {
        (ImageStore store, Image image) = await LoadAsync([Described("a/b/", 0x1C0, 1, 1)], [LayerDirectory.FileOf("a/b/one")]);
        (await store.UnpackAsync(image, StoreDirectory.Token)).Release();
        File.WriteAllText(_directory.LayerPath(image.Layers[0]) + "/tree/more", "");

        Assert.Empty(await store.RepairAsync(StoreDirectory.Token));

        (await store.UnpackAsync(image, StoreDirectory.Token)).Release();
        Assert.Empty(await store.VerifyAsync(StoreDirectory.Token));
    }

    public void Dispose() => _directory.Dispose();

    private static (uint Mode, uint Uid, uint Gid, (long, uint) Modified) Of(TarEntry entry) => (entry.Mode, entry.Uid, entry.Gid, entry.Modified);

    private static (TarEntry Entry, string Content) Described(string name, uint mode, uint uid, uint gid, params (string Name, string Value)[] attributes)
    {
        (TarEntry entry, string content) = LayerDirectory.DirectoryOf(name);
        (entry.Mode, entry.Uid, entry.Gid, entry.Modified) = (mode, uid, gid, Then);
        foreach ((string key, string value) in attributes) entry.Attributes.Add((Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value)));
        return (entry, content);
    }

    private async Task<(ImageStore Store, Image Image)> LoadAsync(params (TarEntry, string)[][] layers)
    {
        ImageStore store = await _directory.OpenAsync();
        byte[][] archives = [.. layers.Select(LayerDirectory.Archive)];
        string diffIds = string.Join(',', archives.Select(archive => $"\"sha256:{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(archive))}\""));
        string names = string.Join(',', archives.Select((_, i) => $"\"{i}.tar\""));
        string config = $$$"""{"architecture":"{{{Platform.Current.Architecture}}}","os":"linux","rootfs":{"type":"layers","diff_ids":[{{{diffIds}}}]}}""";
        List<(TarEntry, string)> parts = [LayerDirectory.FileOf("config.json", config), LayerDirectory.FileOf("manifest.json", $$"""[{"Config":"config.json","RepoTags":["undescribed:1"],"Layers":[{{names}}]}]""")];
        using MemoryStream archive = new();
        TarWriter writer = new(archive);
        foreach ((TarEntry entry, byte[] content) in parts.Select(part => (part.Item1, Encoding.UTF8.GetBytes(part.Item2))).Concat(archives.Select((bytes, i) => (LayerDirectory.FileOf($"{i}.tar").Entry, bytes))))
        {
            entry.Size = entry.StoredSize = content.Length;
            writer.Begin(entry);
            writer.Write(content);
        }

        writer.Finish();
        archive.Position = 0;
        return (store, (await store.LoadArchiveAsync(archive, cancellationToken: StoreDirectory.Token)).Single());
    }

    /// <summary>The files of an image of these layers, by their names without slashes around them.</summary>
    private async Task<Dictionary<string, TarEntry>> MergedAsync(params (TarEntry, string)[][] layers)
    {
        (ImageStore store, Image image) = await LoadAsync(layers);
        UnpackedImage unpacked = await store.UnpackAsync(image, StoreDirectory.Token);
        using MemoryStream archive = new();
        await RootExport.WriteAsync(unpacked.Layers, null, isMapped: false, new() { Compression = LayerCompression.None, IncludeTop = true }, archive, StoreDirectory.Token);
        archive.Position = 0;
        Dictionary<string, TarEntry> entries = [];
        for (TarReader reader = new(archive); reader.Next() is { } entry;) entries.Add(Encoding.UTF8.GetString(entry.Name).TrimStart('.').Trim('/'), entry);
        Assert.Empty(await store.VerifyAsync(StoreDirectory.Token));
        return entries;
    }
}
