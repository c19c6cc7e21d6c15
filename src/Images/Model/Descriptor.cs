using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Isolation.Images;

/// <summary>Tells of content that lies elsewhere: what it is, how long, and what it must hash to (OCI image-spec 1.1, descriptor.md).</summary>
public sealed record Descriptor : ImageObject
{
    /// <summary>What it is; see <see cref="MediaTypes"/>.</summary>
    [JsonPropertyName("mediaType")]
    public required string MediaType { get; init; }

    /// <summary>What it must hash to.</summary>
    [JsonPropertyName("digest")]
    public required Digest Digest { get; init; }

    /// <summary>In bytes.</summary>
    [JsonPropertyName("size")]
    public required long Size { get; init; }

    /// <summary>Where else it is to be had.</summary>
    [JsonPropertyName("urls")]
    public ImmutableArray<string>? Urls { get; init; }

    /// <summary>Whatever somebody wanted to say of it.</summary>
    [JsonPropertyName("annotations")]
    public ImmutableSortedDictionary<string, string>? Annotations { get; init; }

    /// <summary>The content itself, in base64.</summary>
    [JsonPropertyName("data")]
    public string? Data { get; init; }

    /// <summary>Of an artifact's manifest, what it is of.</summary>
    [JsonPropertyName("artifactType")]
    public string? ArtifactType { get; init; }

    /// <summary>Of a manifest in an index, what it runs on.</summary>
    [JsonPropertyName("platform")]
    public PlatformDescription? Platform { get; init; }
}

/// <summary>What an image runs on, as an index says it (image-index.md, "platform").</summary>
public sealed record PlatformDescription : ImageObject
{
    /// <summary>Go's GOARCH.</summary>
    [JsonPropertyName("architecture")]
    public required string Architecture { get; init; }

    /// <summary>Go's GOOS.</summary>
    [JsonPropertyName("os")]
    public required string Os { get; init; }

    /// <summary>Of Windows.</summary>
    [JsonPropertyName("os.version")]
    public string? OsVersion { get; init; }

    /// <summary>Of Windows.</summary>
    [JsonPropertyName("os.features")]
    public ImmutableArray<string>? OsFeatures { get; init; }

    /// <summary>Of the architecture.</summary>
    [JsonPropertyName("variant")]
    public string? Variant { get; init; }

    /// <summary>What decides whether it runs.</summary>
    public Platform ToPlatform() => new Platform(Os, Architecture, Variant).Normalized();
}
