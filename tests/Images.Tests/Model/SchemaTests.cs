using System.Text.Json.Nodes;
using Isolation.Linux;

namespace Isolation.Images.Tests;

/// <summary>What is written is as the schemas of image-spec want it.</summary>
public sealed class SchemaTests : IDisposable
{
    private readonly TestLayout _layout = new();

    public void Dispose() => _layout.Dispose();

    [Fact]
    public async Task All_that_a_store_and_a_saved_layout_have_is_valid()
    {
        JsonSchema schema = Schema();
        ImageStore store = await _layout.OpenAsync();
        using MemoryStream tar = new(TestLayout.Layer);
        Image one = await store.ImportArchiveAsync(tar, new()
        {
            Reference = ImageReference.Parse("localhost/one"), Author = "A. U. Thor", Comment = "why", CreatedBy = "test", Created = DateTimeOffset.UnixEpoch.AddSeconds(0.5),
            Configure = config => config with
            {
                User = "1:2", Entrypoint = ["/bin/sh"], Command = ["-c", "true"], Environment = ["A=1"], WorkingDirectory = "/", StopSignal = "SIGTERM", Labels = System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty.Add("a", "b"),
                ExposedPorts = System.Collections.Immutable.ImmutableSortedDictionary<string, Nothing>.Empty.Add("80/tcp", new()), Volumes = System.Collections.Immutable.ImmutableSortedDictionary<string, Nothing>.Empty.Add("/data", new()),
                HealthCheck = new() { Test = ["CMD", "true"], Interval = 1_000_000_000 },
            },
        }, Platform.Parse("linux/arm/v6"), TestContext.Current.CancellationToken);
        Directory.CreateDirectory(_layout["upper/made"]);
        Image two;
        using (FileDescriptor upper = FileDescriptor.Open(_layout["upper"], Abi.O_RDONLY)) two = await store.CommitAsync(one, upper, new(), new() { Compression = LayerCompression.Zstd, Configure = _ => new() }, TestContext.Current.CancellationToken);
        await store.SaveAsync([one, two], _layout["saved"], ArchiveFormat.Layout, TestContext.Current.CancellationToken);

        int manifests = 0, configs = 0;
        foreach (string directory in (string[])["store", "saved"])
        {
            Assert.Empty(schema.Problems("image-layout-schema.json", Json($"{directory}/oci-layout")));
            JsonNode index = Json($"{directory}/index.json");
            Assert.Empty(schema.Problems("image-index-schema.json", index));
            Assert.Equal(2, index["manifests"]!.AsArray().Count);
            foreach (string blob in Directory.GetFiles(_layout[$"{directory}/blobs/sha256"]))
            {
                if (File.ReadAllBytes(blob)[0] != '{') continue; // a layer
                JsonNode json = Json(System.IO.Path.GetRelativePath(_layout[""], blob));
                bool isManifest = json["schemaVersion"] is not null;
                Assert.Empty(schema.Problems(isManifest ? "image-manifest-schema.json" : "config-schema.json", json));
                if (isManifest) manifests++;
                else configs++;
            }
        }

        Assert.Equal((4, 4), (manifests, configs));
    }

    [Theory]
    [InlineData("image-manifest-schema.json", """{"schemaVersion":2}""")]
    [InlineData("image-manifest-schema.json", """{"schemaVersion":1,"config":{"mediaType":"a/b","digest":"sha256:00","size":1},"layers":[]}""")]
    [InlineData("image-index-schema.json", """{"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"none","size":1}]}""")]
    [InlineData("image-index-schema.json", """{"schemaVersion":2,"manifests":[{"mediaType":"a","digest":"sha256:ab","size":1}]}""")]
    [InlineData("config-schema.json", """{"architecture":"amd64","os":"linux","rootfs":{"type":"other","diff_ids":[]}}""")]
    [InlineData("config-schema.json", """{"architecture":"amd64","os":"linux","created":"yesterday","rootfs":{"type":"layers","diff_ids":[]}}""")]
    [InlineData("image-layout-schema.json", """{"imageLayoutVersion":"2"}""")]
    public void The_check_finds_what_is_wrong(string file, string json) => Assert.NotEmpty(Schema().Problems(file, JsonNode.Parse(json)));

    private JsonNode Json(string name) => JsonNode.Parse(File.ReadAllText(_layout[name]))!;

    private static JsonSchema Schema() => JsonSchema.OfShared("image-schema");
}
