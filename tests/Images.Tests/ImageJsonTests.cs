using System.Text;
using System.Text.Json.Nodes;

namespace Isolation.Images.Tests;

public class ImageJsonTests
{
    private const string Digest1 = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private const string SomeManifest = $$"""
        {
          "schemaVersion": 2,
          "mediaType": "application/vnd.oci.image.manifest.v1+json",
          "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": "{{Digest1}}", "size": 7023, "x": [1, { "y": null }] },
          "layers": [ { "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "{{Digest1}}", "size": 32654, "urls": ["a"], "annotations": { "k": "v" } } ],
          "subject": { "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "{{Digest1}}", "size": 7682, "data": "e30=", "artifactType": "a/b" },
          "annotations": { "com.example.key1": "value1" },
          "later": { "field": true }
        }
        """;

    private const string SomeIndex = $$"""
        {
          "schemaVersion": 2,
          "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
          "manifests": [
            { "mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 7143, "digest": "{{Digest1}}", "platform": { "architecture": "arm", "os": "linux", "variant": "v6", "os.version": "1", "os.features": ["f"], "features": ["sse4"] } },
            { "mediaType": "application/vnd.oci.image.index.v1+json", "size": 1, "digest": "{{Digest1}}" }
          ]
        }
        """;

    private const string SomeConfig = $$"""
        {
          "created": "2015-10-31T22:22:56.015925234Z",
          "author": "Somebody",
          "architecture": "amd64",
          "os": "linux",
          "config": {
            "User": "alice", "ExposedPorts": { "8080/tcp": {} }, "Env": ["PATH=/bin", "FOO=oci_is_a"], "Entrypoint": ["/bin/my-app-binary"], "Cmd": ["--foreground"],
            "Volumes": { "/var/job-result-data": {} }, "WorkingDir": "/home/alice", "Labels": { "a": "b" }, "StopSignal": "SIGTERM", "Healthcheck": { "Test": ["CMD", "x"], "Interval": 30000000000 }
          },
          "rootfs": { "type": "layers", "diff_ids": ["{{Digest1}}"] },
          "history": [ { "created": "2015-10-31T22:22:54.690851953Z", "created_by": "/bin/sh -c #(nop) ADD file", "empty_layer": true } ],
          "docker_version": "1.8"
        }
        """;

    [Fact]
    public void What_is_read_is_written_again_with_what_nobody_knows()
    {
        AssertSame(SomeManifest, ImageJson.ToUtf8(ImageJson.ReadManifest(Bytes(SomeManifest)), ImageModel.Default.Manifest));
        AssertSame(SomeIndex, ImageJson.ToUtf8(ImageJson.ReadIndex(Bytes(SomeIndex)), ImageModel.Default.ImageIndex));
    }

    [Fact]
    public void A_configuration_says_how_it_is_run()
    {
        ImageConfig config = ImageJson.ReadConfig(Bytes(SomeConfig));

        Assert.Equal(Platform.Parse("linux/amd64"), config.Platform);
        Assert.Equal(["/bin/my-app-binary"], config.Config!.Entrypoint!.Value);
        Assert.Equal(["--foreground"], config.Config.Command!.Value);
        Assert.Equal(["/var/job-result-data"], config.Config.Volumes!.Keys);
        Assert.Equal([Digest.Parse(Digest1)], config.RootFs.DiffIds);
        Assert.True(config.History!.Value[0].IsEmptyLayer);
        JsonNode written = JsonNode.Parse(ImageJson.ToUtf8(config, ImageModel.Default.ImageConfig))!;
        Assert.Equal("1.8", (string?)written["docker_version"]);
        Assert.Equal(30000000000, (long)written["config"]!["Healthcheck"]!["Interval"]!);
    }

    [Fact]
    public void The_platform_of_an_entry_is_known() =>
        Assert.Equal([Platform.Parse("linux/arm/v6"), null], ImageJson.ReadIndex(Bytes(SomeIndex)).Manifests.Select(entry => entry.Platform?.ToPlatform()));

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{ \"schemaVersion\": 2 }")]
    [InlineData("{ \"schemaVersion\": 1, \"layers\": [], \"config\": { \"mediaType\": \"a\", \"digest\": \"" + Digest1 + "\", \"size\": 1 } }")]
    [InlineData("{ \"schemaVersion\": 2, \"layers\": null, \"config\": { \"mediaType\": \"a\", \"digest\": \"" + Digest1 + "\", \"size\": 1 } }")]
    [InlineData("{ \"schemaVersion\": 2, \"layers\": [], \"config\": { \"mediaType\": \"a\", \"digest\": \"../../x\", \"size\": 1 } }")]
    [InlineData("{ \"schemaVersion\": 2, \"layers\": [], \"layers\": [], \"config\": { \"mediaType\": \"a\", \"digest\": \"" + Digest1 + "\", \"size\": 1 } }")] // which of them is meant another reader sees otherwise
    [InlineData("{ \"schemaVersion\": 2, \"layers\": [], \"manifests\": [], \"config\": { \"mediaType\": \"a\", \"digest\": \"" + Digest1 + "\", \"size\": 1 } }")]
    [InlineData("{ \"schemaVersion\": 2, \"layers\": [], \"config\": { \"mediaType\": null, \"digest\": \"" + Digest1 + "\", \"size\": 1 } }")]
    [InlineData("{ \"schemaVersion\": 2, \"layers\": [], \"config\": { \"mediaType\": \"a\", \"digest\": \"" + Digest1 + "\", \"size\": 99999999999999999999 } }")]
    public void What_is_no_manifest_is_refused(string text) => Assert.Throws<FormatException>(() => ImageJson.ReadManifest(Bytes(text)));

    // What FuzzTests have found.
    [Theory]
    [InlineData("{\"schemaVersion\":2,\"manifests\":[null]}")]
    [InlineData("{\"schemaVersion\":2,\"manifests\":[],\"\\ud800\":1}")]
    [InlineData("{\"schemaVersion\":2,\"manifests\":[],\"\u00ff\":1}")] // written as Latin-1, it is no UTF-8
    public void What_is_no_index_is_refused(string text) => Assert.Throws<FormatException>(() => ImageJson.ReadIndex(Encoding.Latin1.GetBytes(text)));

    [Theory]
    [InlineData("manifest", "layers")]
    [InlineData("config", "Env")]
    [InlineData("config", "history")]
    [InlineData("config", "diff_ids")]
    public void Null_is_no_item_of_a_list(string what, string list)
    {
        JsonNode document = JsonNode.Parse(what == "manifest" ? SomeManifest : SomeConfig)!;
        JsonNode holder = list switch { "Env" => document["config"]!, "diff_ids" => document["rootfs"]!, _ => document };
        holder[list]!.AsArray().Add(null);
        byte[] bytes = Bytes(document.ToJsonString());

        FormatException exception = Assert.Throws<FormatException>(() => _ = what == "manifest" ? (ImageObject)ImageJson.ReadManifest(bytes) : ImageJson.ReadConfig(bytes));
        Assert.Contains($"'{list}'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_too_long_or_too_deep_is_refused()
    {
        Assert.Throws<FormatException>(() => ImageJson.ReadManifest(new byte[ImageJson.Longest + 1]));
        Assert.Throws<FormatException>(() => ImageJson.ReadManifest(Bytes("{\"x\":" + new string('[', 100_000) + new string(']', 100_000) + "}")));
    }

    [Theory]
    [InlineData(MediaTypes.Layer, LayerCompression.None)]
    [InlineData(MediaTypes.LayerGzip, LayerCompression.Gzip)]
    [InlineData(MediaTypes.LayerZstd, LayerCompression.Zstd)]
    [InlineData(MediaTypes.DockerLayerGzip, LayerCompression.Gzip)]
    [InlineData(MediaTypes.DockerLayerForeign + ".gzip", LayerCompression.Gzip)]
    [InlineData(MediaTypes.LayerRestricted + "+zstd", LayerCompression.Zstd)]
    [InlineData(MediaTypes.Layer + "+bzip2", null)]
    [InlineData(MediaTypes.Config, null)]
    public void A_layers_type_says_how_it_is_compressed(string mediaType, LayerCompression? compression) => Assert.Equal(compression, MediaTypes.CompressionOf(mediaType));

    private static void AssertSame(string expected, byte[] actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(actual)), Encoding.UTF8.GetString(actual));

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
