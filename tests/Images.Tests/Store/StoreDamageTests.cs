namespace Isolation.Images.Tests;

/// <summary>What is damaged on disk is found, named, and mended.</summary>
public sealed class StoreDamageTests : IDisposable
{
    private static readonly (string Name, Action<string> Do)[] BlobDamages =
    [
        ("a changed byte", path => Change(path, bytes => bytes[bytes.Length / 2] ^= 1)),
        ("a shorter file", path => File.WriteAllBytes(path, File.ReadAllBytes(path)[..^1])),
        ("no bytes", path => File.WriteAllBytes(path, [])),
        ("a longer file", path => File.AppendAllText(path, " ")),
        ("no file", File.Delete),
    ];

    private static readonly (string Name, Action<string> Do)[] LayerDamages =
    [
        ("another content", tree => File.AppendAllText(tree + "/tree/etc/hosts", "!")),
        ("another content of the same length and time", tree =>
        {
            DateTime time = File.GetLastWriteTimeUtc(tree + "/tree/long");
            Change(tree + "/tree/long", bytes => bytes[^1] ^= 1);
            File.SetLastWriteTimeUtc(tree + "/tree/long", time);
        }),
        ("another mode", tree => File.SetUnixFileMode(tree + "/tree/gone", (UnixFileMode)0x180)),
        ("another time", tree => File.SetLastWriteTimeUtc(tree + "/tree/gone", DateTime.UnixEpoch)),
        ("another mode of the top", tree => File.SetUnixFileMode(tree + "/tree", (UnixFileMode)0x1C0)),
        ("another list of what is not described", tree => File.WriteAllText(tree + "/undescribed", "etc\0")),
        ("another target of a link", tree =>
        {
            File.Delete(tree + "/tree/etc/link");
            File.CreateSymbolicLink(tree + "/tree/etc/link", "/etc/passwd");
        }),
        ("a file of its own in place of a second name", tree =>
        {
            File.Copy(tree + "/tree/etc/hosts", tree + "/copy");
            File.SetLastWriteTimeUtc(tree + "/copy", File.GetLastWriteTimeUtc(tree + "/tree/etc/hosts"));
            File.Move(tree + "/copy", tree + "/tree/etc/second", overwrite: true);
        }),
        ("a file more", tree => File.WriteAllText(tree + "/tree/more", "")),
        ("a file less", tree => File.Delete(tree + "/tree/gone")),
        ("no files at all", tree => Directory.Delete(tree + "/tree", recursive: true)),
        ("no word of what it is", tree => File.Delete(tree + "/diff-id")),
        ("a wrong word of what it is", tree => File.WriteAllText(tree + "/diff-id", "sha256:0")),
    ];

    private readonly StoreDirectory _directory = new();

    public static TheoryData<string> Blobs => [.. BlobDamages.Select(damage => damage.Name)];

    public static TheoryData<string> Layers => [.. LayerDamages.Select(damage => damage.Name)];

    [Theory, MemberData(nameof(Blobs))]
    public async Task Each_damaged_blob_is_named_and_nothing_else_and_loading_the_image_again_mends_it(string name)
    {
        (ImageStore store, _, Image image) = await _directory.FilledAsync();
        Action<string> damage = BlobDamages.Single(entry => entry.Name == name).Do;
        foreach (Descriptor part in (Descriptor[])[image.Descriptor, image.Manifest.Config, .. image.Manifest.Layers])
        {
            Assert.Empty(await store.VerifyAsync(StoreDirectory.Token));
            damage(_directory.BlobPath(part.Digest));

            StoreDamage found = Assert.Single(await store.VerifyAsync(StoreDirectory.Token));

            Assert.Equal((part.Digest, false), (found.What, found.IsLayer));
            Assert.Contains(image.Reference!.ToString(), found.Images);
            Assert.NotEmpty(found.Problem);
            Assert.Equal(image.Digest, (await store.LoadAsync(_directory.New, cancellationToken: StoreDirectory.Token)).Single().Digest);
        }

        Assert.Empty(await store.VerifyAsync(StoreDirectory.Token));
    }

    [Fact]
    public async Task All_that_is_damaged_is_named_at_once()
    {
        (ImageStore store, Image old, Image image) = await _directory.FilledAsync();
        BlobDamages[0].Do(_directory.BlobPath(old.Layers[1].Descriptor.Digest));
        BlobDamages[2].Do(_directory.BlobPath(image.Layers[1].Descriptor.Digest));
        LayerDamages[0].Do(_directory.LayerPath(old.Layers[0]));

        IReadOnlyList<StoreDamage> found = await store.VerifyAsync(StoreDirectory.Token);

        Assert.Equal(
            new[] { old.Layers[1].Descriptor.Digest, image.Layers[1].Descriptor.Digest, old.Layers[0].DiffId }.Select(digest => digest.ToString()).Order(),
            found.Select(damage => damage.What.ToString()).Order());
        Assert.Equal([old.Reference!.ToString(), image.Reference!.ToString()], found.Single(damage => damage.IsLayer).Images);
    }

    [Fact]
    public async Task A_damaged_blob_that_no_name_leads_to_is_named()
    {
        (ImageStore store, Image old, _) = await _directory.FilledAsync();
        await store.RemoveAsync(old.Reference!, StoreDirectory.Token);
        BlobDamages[0].Do(_directory.BlobPath(old.Layers[1].Descriptor.Digest));

        StoreDamage found = Assert.Single(await store.VerifyAsync(StoreDirectory.Token));

        Assert.Equal(old.Layers[1].Descriptor.Digest, found.What);
        Assert.Empty(found.Images);
    }

    [Theory, MemberData(nameof(Layers))]
    public async Task A_damaged_layer_is_named_and_repaired(string name)
    {
        (ImageStore store, Image old, Image image) = await _directory.FilledAsync();
        LayerDamages.Single(entry => entry.Name == name).Do(_directory.LayerPath(image.Layers[0]));

        StoreDamage found = Assert.Single(await store.VerifyAsync(StoreDirectory.Token));

        Assert.Equal((image.Layers[0].DiffId, true), (found.What, found.IsLayer));
        Assert.Equal([old.Reference!.ToString(), image.Reference!.ToString()], found.Images);
        Assert.Empty(await store.RepairAsync(StoreDirectory.Token));
        Assert.Empty(await store.VerifyAsync(StoreDirectory.Token));
        Assert.Empty(Directory.GetFileSystemEntries(_directory["isolation/temporary"]));
    }

    [Fact]
    public async Task A_damaged_layer_that_is_used_is_left_until_it_is_not()
    {
        (ImageStore store, _, Image image) = await _directory.FilledAsync();
        UnpackedImage used = await store.UnpackAsync(image, StoreDirectory.Token);
        LayerDamages[0].Do(_directory.LayerPath(image.Layers[0]));

        Assert.Equal(image.Layers[0].DiffId, Assert.Single(await store.RepairAsync(StoreDirectory.Token)).What);

        used.Release();
        Assert.Empty(await store.RepairAsync(StoreDirectory.Token));
    }

    [Fact]
    public async Task What_is_damaged_below_is_repaired_once_the_blob_is_there_again()
    {
        (ImageStore store, _, Image image) = await _directory.FilledAsync();
        BlobDamages[4].Do(_directory.BlobPath(image.Layers[1].Descriptor.Digest));
        File.WriteAllText(_directory.LayerPath(image.Layers[1]) + "/tree/more", "");

        Assert.Equal(image.Layers[1].Descriptor.Digest, Assert.Single(await store.RepairAsync(StoreDirectory.Token)).What);
        await store.LoadAsync(_directory.New, cancellationToken: StoreDirectory.Token);
        Assert.Equal(image.Layers[1].DiffId, Assert.Single(await store.VerifyAsync(StoreDirectory.Token)).What);
        Assert.Empty(await store.RepairAsync(StoreDirectory.Token));
        Assert.Empty(await store.VerifyAsync(StoreDirectory.Token));
    }

    [Fact]
    public async Task The_images_that_are_not_damaged_are_listed()
    {
        (ImageStore store, Image old, Image image) = await _directory.FilledAsync();
        BlobDamages[0].Do(_directory.BlobPath(image.Manifest.Config.Digest));
        List<StoreDamage> damages = [];

        IReadOnlyList<Image> listed = await store.ListReadableAsync(damages.Add, StoreDirectory.Token);

        Assert.Equal([old.Digest], listed.Select(one => one.Digest));
        StoreDamage damage = Assert.Single(damages);
        Assert.Equal((image.Digest, false), (damage.What, damage.IsLayer));
        Assert.Equal([image.Reference!.ToString()], damage.Images);
        await Assert.ThrowsAsync<ImageException>(() => store.ListAsync(StoreDirectory.Token));
    }

    [Fact]
    public async Task With_a_damaged_manifest_nothing_is_collected()
    {
        (ImageStore store, Image old, Image image) = await _directory.FilledAsync();
        await store.RemoveAsync(old.Reference!, StoreDirectory.Token);
        BlobDamages[0].Do(_directory.BlobPath(image.Digest));
        string[] before = _directory.Snapshot();

        ImageException exception = await Assert.ThrowsAsync<ImageException>(() => store.CollectAsync(StoreDirectory.Token));

        Assert.Equal(ImageErrorReason.Damaged, exception.Reason);
        Assert.Contains(image.Reference!.ToString(), exception.Message, StringComparison.Ordinal);
        Assert.Equal(before, _directory.Snapshot());
        await store.LoadAsync(_directory.New, cancellationToken: StoreDirectory.Token);
        Assert.Equal((3, 1), await store.CollectAsync(StoreDirectory.Token) is var collected ? (collected.Blobs, collected.Layers) : default);
        Assert.Empty(await store.VerifyAsync(StoreDirectory.Token));
    }

    public void Dispose() => _directory.Dispose();

    private static void Change(string path, Action<byte[]> change)
    {
        byte[] bytes = File.ReadAllBytes(path);
        change(bytes);
        File.WriteAllBytes(path, bytes);
    }
}
