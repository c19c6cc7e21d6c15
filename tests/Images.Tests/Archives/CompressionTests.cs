namespace Isolation.Images.Tests;

/// <summary>Archives come as other programs compress them, and are told by what they begin with.</summary>
public sealed class CompressionTests : IDisposable
{
    private readonly StoreDirectory _directory = new();
    private readonly LayerDirectory _files = new();

    public static TheoryData<string> Programs => ["gzip", "zstd", "bzip2"];

    [Theory, MemberData(nameof(Programs))]
    public async Task A_root_file_system_is_the_same_image_however_it_was_compressed(string program)
    {
        string tar = _files["root.tar"];
        File.WriteAllBytes(tar, LayerDirectory.Archive(LayerDirectory.DirectoryOf("etc/"), LayerDirectory.FileOf("etc/hosts", new string('x', 300_000)), LayerDirectory.LinkOf("link", "etc/hosts")));
        CommitOptions options = new() { Created = DateTimeOffset.UnixEpoch, Reference = ImageReference.Parse("localhost/imported:1") };
        ImageStore store = await _directory.OpenAsync();
        Image plain = await store.ImportAsync(tar, options, cancellationToken: StoreDirectory.Token);

        Image image = await store.ImportAsync(Compressed(program, tar), options, cancellationToken: StoreDirectory.Token);

        Assert.Equal(plain.Digest, image.Digest);
        Assert.Equal(300_000, new FileInfo(Path.Join((await store.UnpackAsync(image, StoreDirectory.Token)).Layers[0], "etc/hosts")).Length);
    }

    [Theory, MemberData(nameof(Programs))]
    public async Task An_archive_of_images_is_loaded_however_it_was_compressed(string program)
    {
        ImageStore store = await _directory.OpenAsync();
        Image plain = Assert.Single(await store.LoadAsync(_directory.New, cancellationToken: StoreDirectory.Token));
        string archive = _files["saved.tar"];
        await store.SaveAsync([plain], archive, ArchiveFormat.Docker, StoreDirectory.Token);

        using StoreDirectory other = new();
        Image loaded = Assert.Single(await (await other.OpenAsync()).LoadAsync(Compressed(program, archive), cancellationToken: StoreDirectory.Token));

        Assert.Equal(plain.Layers.Select(layer => layer.DiffId), loaded.Layers.Select(layer => layer.DiffId));
        Assert.Equal(plain.Reference, loaded.Reference);
    }

    [Theory, MemberData(nameof(Programs))]
    public async Task One_that_breaks_off_is_damaged_and_leaves_nothing(string program)
    {
        string tar = _files["root.tar"];
        File.WriteAllBytes(tar, LayerDirectory.Archive(LayerDirectory.FileOf("random", Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(200_000)))));
        byte[] compressed = File.ReadAllBytes(Compressed(program, tar));
        File.WriteAllBytes(_files["cut"], compressed[..(compressed.Length / 2)]);
        ImageStore store = await _directory.OpenAsync();
        string[] before = _directory.Snapshot();

        ImageException exception = await Assert.ThrowsAsync<ImageException>(() => store.ImportAsync(_files["cut"], cancellationToken: StoreDirectory.Token));

        Assert.Equal(ImageErrorReason.InvalidContent, exception.Reason);
        Assert.Equal(before, _directory.Snapshot());
    }

    public void Dispose()
    {
        _files.Dispose();
        _directory.Dispose();
    }

    private static string Compressed(string program, string file)
    {
        Assert.SkipUnless(File.Exists($"/usr/bin/{program}") || File.Exists($"/bin/{program}"), $"there is no {program} here");
        string compressed = $"{file}.{program}";
        File.WriteAllBytes(compressed, LayerDirectory.Run(program, "-c", file));
        return compressed;
    }
}
