using System.Text.Json.Nodes;
using Isolation.Linux;

namespace Isolation.Images.Tests;

/// <summary>A store, and beside it a layout directory of which each byte is the test's to say.</summary>
internal sealed class TestLayout : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("isolation-layout-");

    internal string this[string name] => System.IO.Path.Join(_directory.FullName, name);

    internal string Path => this["layout"];

    /// <summary>One layer with the file <c>file</c>.</summary>
    internal static byte[] Layer { get; } = LayerDirectory.Archive(LayerDirectory.FileOf("file", "content"));

    internal Task<ImageStore> OpenAsync(string name = "store") => ImageStore.OpenAsync(this[name], cancellationToken: TestContext.Current.CancellationToken);

    internal string BlobPath(JsonNode descriptor) => this[$"layout/blobs/{((string)descriptor["digest"]!).Replace(':', '/')}"];

    /// <summary>Writes a blob, and describes it.</summary>
    internal JsonObject Add(string mediaType, byte[] content)
    {
        Digest digest = Digest.Of(content);
        Directory.CreateDirectory(this[$"layout/blobs/{digest.Algorithm}"]);
        File.WriteAllBytes(this[$"layout/blobs/{digest.Algorithm}/{digest.Encoded}"], content);
        return Describe(mediaType, digest, content.Length);
    }

    internal JsonObject Add(JsonNode content, string? mediaType = null) => Add(mediaType ?? (string)content["mediaType"]!, System.Text.Encoding.UTF8.GetBytes(content.ToJsonString()));

    internal static JsonObject Describe(string mediaType, Digest digest, long size) => new() { ["mediaType"] = mediaType, ["digest"] = digest.ToString(), ["size"] = size };

    internal static JsonObject Config(Platform? platform = null)
    {
        platform ??= Platform.Current;
        JsonObject config = new() { ["created"] = "2020-01-01T00:00:00Z", ["architecture"] = platform.Architecture, ["os"] = platform.Os, ["config"] = new JsonObject { ["Cmd"] = new JsonArray("true"), ["Env"] = new JsonArray("A=1"), ["Labels"] = new JsonObject { ["a"] = "b" } }, ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray(Digest.Of(Layer).ToString()) }, ["history"] = new JsonArray(new JsonObject { ["created_by"] = "test", ["empty_layer"] = false }) };
        if (platform.Variant is { } variant) config["variant"] = variant;
        return config;
    }

    internal JsonObject Manifest(JsonNode? config = null) => new()
    {
        ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.Manifest, ["config"] = Add(config ?? Config(), MediaTypes.Config),
        ["layers"] = new JsonArray(Add(MediaTypes.Layer, Layer)), ["annotations"] = new JsonObject { ["k"] = "v" },
    };

    internal static JsonObject Index(params IEnumerable<JsonNode> manifests) => new() { ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.Index, ["manifests"] = new JsonArray([.. manifests.Select(manifest => manifest.DeepClone())]) };

    internal static JsonObject Named(JsonObject descriptor, string name)
    {
        JsonObject named = descriptor.DeepClone().AsObject();
        named["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = name };
        return named;
    }

    internal void Write(JsonNode index)
    {
        Directory.CreateDirectory(Path);
        File.WriteAllText(this["layout/index.json"], index.ToJsonString());
        File.WriteAllText(this["layout/oci-layout"], "{\"imageLayoutVersion\":\"1.0.0\"}");
    }

    public void Dispose()
    {
        using FileDescriptor parent = FileDescriptor.Open(_directory.Parent!.FullName, Abi.O_RDONLY);
        Assert.Equal(0, TreeRemoval.TryRemove(parent, FileName.Of(_directory.Name)));
    }
}
