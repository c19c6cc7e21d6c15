using System.Text.Json;
using System.Text.Json.Serialization;

namespace Isolation.Images;

/// <summary>An object of a manifest, an index or a configuration. What nobody knows in it is kept.</summary>
public abstract record ImageObject
{
    private protected ImageObject()
    {
    }

    /// <summary>Fields that the specification does not know; they are written as they were read.</summary>
    [JsonExtensionData]
    [JsonInclude]
    internal Dictionary<string, JsonElement>? Unknown { get; set; }
}
