using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Isolation.Images;

/// <summary>Reads and writes the model. What it reads comes from anybody.</summary>
internal static class ImageJson
{
    /// <summary>Of a manifest, an index or a configuration, in bytes: what other implementations take at most.</summary>
    internal const int Longest = 4 << 20;

    /// <summary>How many objects and lists may be in one another.</summary>
    internal const int MostDeep = 32;

    /// <param name="utf8">What is read.</param>
    /// <param name="mediaType">What its descriptor says it is; null where there is none.</param>
    /// <exception cref="FormatException">It is none, or says of itself that it is something else.</exception>
    internal static Manifest ReadManifest(ReadOnlySpan<byte> utf8, string? mediaType = null)
    {
        Manifest manifest = Read(utf8, ImageModel.Default.Manifest, "a manifest");
        RefuseVersion(manifest.SchemaVersion, "a manifest");
        RefuseType(manifest.MediaType, mediaType, MediaTypes.IsManifest, "a manifest");
        if (IsNamed(manifest, "manifests", "fsLayers")) throw new FormatException("This is no manifest: it has both layers and manifests, and would be another image for another reader.");
        return manifest;
    }

    /// <inheritdoc cref="ReadManifest"/>
    internal static ImageIndex ReadIndex(ReadOnlySpan<byte> utf8, string? mediaType = null)
    {
        ImageIndex index = Read(utf8, ImageModel.Default.ImageIndex, "an index");
        RefuseVersion(index.SchemaVersion, "an index");
        RefuseType(index.MediaType, mediaType, MediaTypes.IsIndex, "an index");
        if (IsNamed(index, "layers", "config", "fsLayers")) throw new FormatException("This is no index: it has both manifests and layers, and would be another image for another reader.");
        return index;
    }

    /// <exception cref="FormatException">It is none.</exception>
    internal static ImageConfig ReadConfig(ReadOnlySpan<byte> utf8) => Read(utf8, ImageModel.Default.ImageConfig, "a configuration of an image");

    /// <exception cref="FormatException">It is none.</exception>
    internal static DockerArchiveImage[] ReadDockerArchive(ReadOnlySpan<byte> utf8) => Read(utf8, ImageModel.Default.DockerArchiveImageArray, "a list of images");

    internal static byte[] ToUtf8<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);

    private static T Read<T>(ReadOnlySpan<byte> utf8, JsonTypeInfo<T> type, string what)
        where T : class
    {
        if (utf8.Length > Longest) throw new FormatException($"This is no {what[(what.IndexOf(' ', StringComparison.Ordinal) + 1)..]}: it has {utf8.Length} bytes, and {Longest} are read at most.");
        try
        {
            RefuseNullsInLists(utf8);
            return JsonSerializer.Deserialize(utf8, type) ?? throw new FormatException($"There is null where {what} should be.");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException) // the latter for what is no text
        {
            throw new FormatException($"There is something else where {what} should be: {exception.Message}", exception);
        }
    }

    /// <summary>The annotations of the model that say what is never null bear on members, and not on the items of lists.</summary>
    private static void RefuseNullsInLists(ReadOnlySpan<byte> utf8)
    {
        Utf8JsonReader reader = new(utf8, new() { MaxDepth = MostDeep });
        Stack<string?> lists = []; // the name of each list that is open, and null for an object
        string? name = "the list";
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName: name = reader.GetString(); break;
                case JsonTokenType.StartObject: lists.Push(null); break;
                case JsonTokenType.StartArray: lists.Push(name); break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray: lists.Pop(); break;
                case JsonTokenType.Null when lists.TryPeek(out string? list) && list is "the list" or "manifests" or "layers" or "Layers" or "RepoTags" or "urls" or "diff_ids" or "history" or "os.features" or "Env" or "Entrypoint" or "Cmd" or "Test":
                    throw new JsonException($"There is null in '{list}'.");
            }
        }
    }

    /// <summary>What says of itself that it is something else would be another image for another reader (CVE-2021-41190).</summary>
    private static void RefuseType(string? own, string? described, Func<string?, bool> isOne, string what)
    {
        if (own is not null && (!isOne(own) || (described is not null && own != described))) throw new FormatException($"It says of itself that it is a '{own}', and not {(described is null ? what : $"a '{described}'")}.");
    }

    /// <summary>Go's reader, with which most others are made, does not mind whether letters are large.</summary>
    private static bool IsNamed(ImageObject value, params ReadOnlySpan<string> names)
    {
        foreach (string key in value.Unknown?.Keys ?? Enumerable.Empty<string>())
            foreach (string name in names)
                if (key.Equals(name, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }

    private static void RefuseVersion(int version, string what)
    {
        if (version != 2) throw new FormatException($"The schemaVersion of {what} is 2, and not {version}.");
    }
}

/// <summary>A digest as its text.</summary>
internal sealed class DigestConverter : JsonConverter<Digest>
{
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Digest.TryParse(reader.GetString(), out Digest? digest) ? digest : throw new JsonException($"'{reader.GetString()}' is no digest.");

    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(DigestConverter)], AllowDuplicateProperties = false, RespectNullableAnnotations = true, MaxDepth = ImageJson.MostDeep)]
[JsonSerializable(typeof(Manifest))]
[JsonSerializable(typeof(ImageIndex))]
[JsonSerializable(typeof(ImageConfig))]
[JsonSerializable(typeof(DockerArchiveImage[]))]
internal sealed partial class ImageModel : JsonSerializerContext;
