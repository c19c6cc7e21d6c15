using System.Text.Json.Nodes;

namespace Isolation.Images.Tests;

/// <summary>Images that are damaged or lie are refused, by a name of the damage and of the thing; of what was refused nothing is named.</summary>
public sealed class BadImageTests : IDisposable
{
    private readonly TestLayout _layout = new();

    public void Dispose() => _layout.Dispose();

    [Fact]
    public async Task Truncated_blobs_are_named()
    {
        JsonObject manifest = _layout.Manifest(), described = _layout.Add(manifest);
        _layout.Write(TestLayout.Index(described));
        foreach (JsonNode blob in (JsonNode[])[manifest["layers"]![0]!, manifest["config"]!, described])
        {
            string path = _layout.BlobPath(blob);
            byte[] content = File.ReadAllBytes(path);
            File.WriteAllBytes(path, content[..^1]);
            await AssertRefusedAsync(ImageErrorReason.DigestMismatch, (string)blob["digest"]!);
            File.WriteAllBytes(path, [.. content, 0]);
            await AssertRefusedAsync(ImageErrorReason.DigestMismatch, (string)blob["digest"]!);
            File.WriteAllBytes(path, []);
            await AssertRefusedAsync(ImageErrorReason.DigestMismatch, (string)blob["digest"]!);
            content[^2] ^= 1;
            File.WriteAllBytes(path, content);
            await AssertRefusedAsync(ImageErrorReason.DigestMismatch, (string)blob["digest"]!);
            File.Delete(path);
            await AssertRefusedAsync(ImageErrorReason.InvalidContent, (string)blob["digest"]!, "missing");
            content[^2] ^= 1;
            File.WriteAllBytes(path, content);
        }

        Assert.Single(await (await _layout.OpenAsync()).LoadAsync(_layout.Path, cancellationToken: TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(1L << 40)]
    public async Task A_wrong_size_is_named(long more)
    {
        JsonObject manifest = _layout.Manifest();
        manifest["layers"]![0]!["size"] = (long)manifest["layers"]![0]!["size"]! + more;
        _layout.Write(TestLayout.Index(_layout.Add(manifest)));

        await AssertRefusedAsync(ImageErrorReason.SizeMismatch, (string)manifest["layers"]![0]!["digest"]!);
    }

    [Fact]
    public async Task A_wrong_diff_id_is_named_when_the_layer_is_unpacked()
    {
        JsonObject config = TestLayout.Config();
        string wrong = Digest.Of("other"u8).ToString();
        config["rootfs"]!["diff_ids"]![0] = wrong;
        _layout.Write(TestLayout.Index(_layout.Add(_layout.Manifest(config))));
        ImageStore store = await _layout.OpenAsync();
        Image image = Assert.Single(await store.LoadAsync(_layout.Path, cancellationToken: TestContext.Current.CancellationToken));

        ImageException exception = await Assert.ThrowsAsync<ImageException>(() => store.UnpackAsync(image, TestContext.Current.CancellationToken));

        Assert.Equal(ImageErrorReason.DigestMismatch, exception.Reason);
        Assert.Contains(wrong, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_manifest_of_an_unknown_type_is_named()
    {
        JsonObject manifest = _layout.Manifest();
        manifest["mediaType"] = "application/vnd.docker.distribution.manifest.v1+prettyjws";
        _layout.Write(TestLayout.Index(_layout.Add(manifest)));

        await AssertRefusedAsync(ImageErrorReason.NotSupported, "application/vnd.docker.distribution.manifest.v1+prettyjws");
    }

    [Fact]
    public async Task What_others_keep_in_the_index_of_a_store_hinders_nobody()
    {
        _layout.Write(TestLayout.Index(_layout.Add("text/plain", "a note"u8.ToArray()), _layout.Add(_layout.Manifest())));

        Assert.Single(await (await _layout.OpenAsync("layout")).ListAsync(TestContext.Current.CancellationToken));
    }

    public static TheoryData<string, string> TwoTypes => new()
    {
        { "manifests", "[]" }, { "Manifests", "[]" }, { "fsLayers", "[]" }, { "mediaType", $"\"{MediaTypes.Index}\"" }, { "mediaType", $"\"{MediaTypes.DockerManifest}\"" }, { "mediaType", "\"text/plain\"" },
    };

    [Theory, MemberData(nameof(TwoTypes))]
    public async Task A_manifest_that_can_be_read_as_two_types_is_refused(string field, string value)
    {
        JsonObject manifest = _layout.Manifest();
        manifest[field] = JsonNode.Parse(value);
        JsonObject described = _layout.Add(manifest, MediaTypes.Manifest);
        _layout.Write(TestLayout.Index(described));

        await AssertRefusedAsync(ImageErrorReason.InvalidContent, (string)described["digest"]!);
    }

    [Theory]
    [InlineData("layers")]
    [InlineData("config")]
    [InlineData("Layers")]
    public async Task An_index_that_can_be_read_as_a_manifest_is_refused(string field)
    {
        JsonObject index = TestLayout.Index(_layout.Add(_layout.Manifest()));
        index[field] = new JsonArray();
        JsonObject described = _layout.Add(index);
        _layout.Write(TestLayout.Index(described));

        await AssertRefusedAsync(ImageErrorReason.InvalidContent, (string)described["digest"]!);
    }

    [Fact]
    public async Task A_field_that_is_there_twice_is_refused()
    {
        string text = _layout.Manifest().ToJsonString();
        JsonObject described = _layout.Add(MediaTypes.Manifest, System.Text.Encoding.UTF8.GetBytes(text[..^1] + ",\"layers\":[]}"));
        _layout.Write(TestLayout.Index(described));

        await AssertRefusedAsync(ImageErrorReason.InvalidContent, (string)described["digest"]!);
    }

    [Fact]
    public async Task Indexes_may_be_nested_but_not_for_ever()
    {
        JsonObject inside = _layout.Add(_layout.Manifest());
        ImageStore store = await _layout.OpenAsync();
        for (int i = 0; i < 7; i++) inside = _layout.Add(TestLayout.Index(inside));
        _layout.Write(TestLayout.Index(TestLayout.Named(inside, "nested")));
        Assert.Single(await store.LoadAsync(_layout.Path, cancellationToken: TestContext.Current.CancellationToken));
        Assert.NotNull(await store.FindAsync(ImageReference.Parse("nested"), cancellationToken: TestContext.Current.CancellationToken));

        for (int i = 0; i < 3; i++) inside = _layout.Add(TestLayout.Index(inside));
        _layout.Write(TestLayout.Index(inside));

        await AssertRefusedAsync(ImageErrorReason.InvalidContent, "indexes deep");
    }

    [Fact]
    public async Task Indexes_that_name_one_another_over_and_over_are_read_once()
    {
        JsonObject inside = _layout.Add(_layout.Manifest());
        for (int i = 0; i < 7; i++) inside = _layout.Add(TestLayout.Index(Enumerable.Repeat(inside, 100))); // 100 to the 7th
        _layout.Write(TestLayout.Index(inside));

        Assert.Single(await (await _layout.OpenAsync()).LoadAsync(_layout.Path, cancellationToken: TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_index_that_names_itself_is_refused()
    {
        // No digest can be found for it: the one that it gives is not its own.
        JsonObject itself = TestLayout.Describe(MediaTypes.Index, Digest.Of("itself"u8), 300);
        byte[] content = new byte[300];
        content.AsSpan().Fill((byte)' ');
        System.Text.Encoding.UTF8.GetBytes(TestLayout.Index(itself).ToJsonString()).CopyTo(content, 0);
        Directory.CreateDirectory(_layout["layout/blobs/sha256"]);
        File.WriteAllBytes(_layout.BlobPath(itself), content);
        _layout.Write(TestLayout.Index(itself));

        await AssertRefusedAsync(ImageErrorReason.DigestMismatch, (string)itself["digest"]!);
    }

    private async Task AssertRefusedAsync(ImageErrorReason reason, string named, string? more = null)
    {
        using TestLayout fresh = new();
        ImageStore store = await fresh.OpenAsync();

        ImageException exception = await Assert.ThrowsAsync<ImageException>(() => store.LoadAsync(_layout.Path, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Equal(reason, exception.Reason);
        Assert.Contains(named, exception.Message, StringComparison.Ordinal);
        if (more == "missing") Assert.Contains(more, exception.Message, StringComparison.Ordinal);
        Assert.Empty(await store.ListAsync(TestContext.Current.CancellationToken));
    }
}
