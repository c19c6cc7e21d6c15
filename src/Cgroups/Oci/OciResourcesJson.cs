using System.Text.Json;
using System.Text.Json.Serialization;

namespace Isolation.Cgroups;

/// <summary>Reads and writes <see cref="OciResources"/>.</summary>
internal static class OciResourcesJson
{
    // Duplicate names are refused: of two readers that each take another one, the first would check what the second does not do.
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <param name="utf8">The object <c>linux.resources</c>.</param>
    /// <exception cref="FormatException">It is no JSON, or a field is missing, there twice, of another type or too large for its own.</exception>
    internal static OciResources Read(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(utf8, Strict);
            return OciResourcesReader.Read(document.RootElement);
        }
        catch (JsonException failure)
        {
            throw new FormatException($"linux.resources cannot be read: {failure.Message.TrimEnd('.')}.", failure);
        }
    }

    internal static byte[] ToUtf8(OciResources resources) =>
        JsonSerializer.SerializeToUtf8Bytes(resources, OciResourcesJsonContext.Default.OciResources);
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OciResources))]
internal sealed partial class OciResourcesJsonContext : JsonSerializerContext;
