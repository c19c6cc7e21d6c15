using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Isolation.Images;

/// <summary>What an image is made of: its configuration and its layers (OCI image-spec 1.1, manifest.md; Docker's schema 2).</summary>
public sealed record Manifest : ImageObject
{
    /// <summary>2, in both.</summary>
    [JsonPropertyName("schemaVersion")]
    public required int SchemaVersion { get; init; }

    /// <summary>What it is itself; OCI's may leave it out.</summary>
    [JsonPropertyName("mediaType")]
    public string? MediaType { get; init; }

    /// <summary>Of what no image is, what it is.</summary>
    [JsonPropertyName("artifactType")]
    public string? ArtifactType { get; init; }

    /// <summary>The configuration.</summary>
    [JsonPropertyName("config")]
    public required Descriptor Config { get; init; }

    /// <summary>From the lowest on.</summary>
    [JsonPropertyName("layers")]
    public required ImmutableArray<Descriptor> Layers { get; init; }

    /// <summary>The manifest that this one is said of.</summary>
    [JsonPropertyName("subject")]
    public Descriptor? Subject { get; init; }

    /// <summary>Whatever somebody wanted to say of it.</summary>
    [JsonPropertyName("annotations")]
    public ImmutableSortedDictionary<string, string>? Annotations { get; init; }
}

/// <summary>A list of manifests, one for each platform (OCI image-spec 1.1, image-index.md; Docker's manifest list).</summary>
public sealed record ImageIndex : ImageObject
{
    /// <summary>2, in both.</summary>
    [JsonPropertyName("schemaVersion")]
    public required int SchemaVersion { get; init; }

    /// <summary>What it is itself; OCI's may leave it out.</summary>
    [JsonPropertyName("mediaType")]
    public string? MediaType { get; init; }

    /// <summary>Of what no image is, what it is.</summary>
    [JsonPropertyName("artifactType")]
    public string? ArtifactType { get; init; }

    /// <summary>Manifests, and further indexes.</summary>
    [JsonPropertyName("manifests")]
    public required ImmutableArray<Descriptor> Manifests { get; init; }

    /// <summary>The manifest that this one is said of.</summary>
    [JsonPropertyName("subject")]
    public Descriptor? Subject { get; init; }

    /// <summary>Whatever somebody wanted to say of it.</summary>
    [JsonPropertyName("annotations")]
    public ImmutableSortedDictionary<string, string>? Annotations { get; init; }
}
