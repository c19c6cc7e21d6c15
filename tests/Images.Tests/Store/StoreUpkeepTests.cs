namespace Isolation.Images.Tests;

/// <summary>Names, what is kept, and what goes.</summary>
public sealed class StoreUpkeepTests : IDisposable
{
    private readonly StoreDirectory _directory = new();

    [Fact]
    public async Task What_it_takes_is_told()
    {
        (ImageStore store, Image old, Image image) = await _directory.FilledAsync();

        StoreUsage usage = await store.GetUsageAsync(StoreDirectory.Token);

        Descriptor[] blobs = [.. new[] { old, image }.SelectMany(each => (Descriptor[])[each.Descriptor, each.Manifest.Config, .. each.Manifest.Layers]).DistinctBy(blob => blob.Digest)];
        Assert.Equal(new StoreUsage(2, blobs.Length, blobs.Sum(blob => blob.Size), 4), usage);
    }

    [Fact]
    public async Task Layers_that_images_share_stay_until_the_last_of_them_goes()
    {
        (ImageStore store, Image old, Image image) = await _directory.FilledAsync();
        Assert.Equal(default, await store.CollectAsync(StoreDirectory.Token));
        await store.RemoveAsync(image.Reference!, StoreDirectory.Token);

        CollectionResult first = await store.CollectAsync(StoreDirectory.Token);

        Assert.Equal((4, 2), (first.Blobs, first.Layers));
        Assert.True(Directory.Exists(_directory.LayerPath(old.Layers[0])));
        Assert.Empty(await store.VerifyAsync(StoreDirectory.Token));
        await store.RemoveAsync(old.Reference!, StoreDirectory.Token);
        await store.CollectAsync(StoreDirectory.Token);
        Assert.Equal(default, await store.GetUsageAsync(StoreDirectory.Token));
        Assert.Equal(["collect", "index"], Directory.GetFiles(_directory["isolation/locks"]).Select(path => Path.GetFileName(path)).Order()); // those of the layers are gone too
    }

    [Fact]
    public async Task Pruned_the_images_without_a_name_go_too()
    {
        (ImageStore store, Image old, Image image) = await _directory.FilledAsync();
        await store.RemoveAsync(image.Reference!, StoreDirectory.Token);
        await store.NameAsync(image.Descriptor, null, StoreDirectory.Token);
        Assert.Equal(default, await store.CollectAsync(StoreDirectory.Token));

        CollectionResult pruned = await store.PruneAsync(StoreDirectory.Token);

        Assert.Equal((4, 2), (pruned.Blobs, pruned.Layers));
        Assert.Equal(old.Digest, Assert.Single(await store.ListAsync(StoreDirectory.Token)).Digest);
    }

    [Fact]
    public async Task What_is_gone_is_given_no_name()
    {
        (ImageStore store, _, Image image) = await _directory.FilledAsync();
        await store.RemoveAsync(image.Reference!, StoreDirectory.Token);
        await store.CollectAsync(StoreDirectory.Token);

        ImageException exception = await Assert.ThrowsAsync<ImageException>(() => store.TagAsync(image, ImageReference.Parse("other"), StoreDirectory.Token));

        Assert.Equal(ImageErrorReason.NotFound, exception.Reason);
        Assert.Equal(ImageErrorReason.NotFound, (await Assert.ThrowsAsync<ImageException>(() => store.UnpackAsync(image, StoreDirectory.Token))).Reason);
        Assert.Empty(Directory.GetFileSystemEntries(_directory["isolation/leases"]));
        Assert.Empty(Directory.GetFileSystemEntries(_directory["isolation/temporary"]));
    }

    [Fact]
    public async Task While_something_comes_in_nothing_goes()
    {
        (ImageStore store, _, Image image) = await _directory.FilledAsync();
        await store.RemoveAsync(image.Reference!, StoreDirectory.Token);
        using (await store.KeepEverythingAsync(StoreDirectory.Token)) Assert.Equal(default, await store.CollectAsync(StoreDirectory.Token));

        Assert.NotEqual(default, await store.CollectAsync(StoreDirectory.Token));
    }

    [Fact]
    public async Task What_dead_programs_have_left_is_removed_by_who_opens_the_store_whatever_a_power_loss_has_taken_of_it()
    {
        await _directory.FilledAsync();
        Directory.CreateDirectory(_directory["isolation/temporary/0123456789abcdef/made/tree"]);
        await File.WriteAllTextAsync(_directory["isolation/temporary/0123456789abcdef/blob"], "", StoreDirectory.Token);
        Directory.CreateDirectory(_directory["isolation/temporary/fedcba9876543210"]);
        await File.WriteAllTextAsync(_directory["isolation/temporary/fedcba9876543210.lock"], "", StoreDirectory.Token);
        await File.WriteAllTextAsync(_directory["isolation/temporary/0000000000000000.lock"], "", StoreDirectory.Token);
        await File.WriteAllTextAsync(_directory["isolation/leases/0123456789abcdef"], "*", StoreDirectory.Token);
        await File.WriteAllTextAsync(_directory["isolation/leases/fedcba9876543210"], "", StoreDirectory.Token);

        await _directory.OpenAsync();

        Assert.Empty(Directory.GetFileSystemEntries(_directory["isolation/temporary"]));
        Assert.Empty(Directory.GetFileSystemEntries(_directory["isolation/leases"]));
    }

    [Fact]
    public async Task What_living_programs_have_is_left_by_who_opens_the_store()
    {
        (ImageStore store, _, _) = await _directory.FilledAsync();
        using TemporaryPlace place = TemporaryPlace.Make(_directory["isolation/temporary"]);
        using StoreLease lease = await store.KeepEverythingAsync(StoreDirectory.Token);

        await _directory.OpenAsync();

        Assert.True(Directory.Exists(place.Path));
        Assert.Single(Directory.GetFiles(_directory["isolation/leases"]));
    }

    [Fact]
    public async Task A_hundred_changes_of_the_index_at_once_are_all_made()
    {
        (_, Image old, _) = await _directory.FilledAsync();
        ImageStore[] stores = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _directory.OpenAsync()));

        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => stores[i % stores.Length].TagAsync(old, ImageReference.Parse($"name:{i}"), StoreDirectory.Token)));

        Assert.Equal(102, (await stores[0].ListAsync(StoreDirectory.Token)).Count);
    }

    [Fact]
    public async Task Where_many_make_a_store_at_once_nobody_takes_what_another_has_named()
    {
        string archive = _directory.Old;

        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(async () =>
        {
            ImageStore store = await _directory.OpenAsync();
            await store.LoadAsync(archive, new() { Reference = ImageReference.Parse($"name:{i}") }, StoreDirectory.Token);
        })));

        Assert.Equal(16, (await (await _directory.OpenAsync()).ListAsync(StoreDirectory.Token)).Count);
    }

    public void Dispose() => _directory.Dispose();
}
