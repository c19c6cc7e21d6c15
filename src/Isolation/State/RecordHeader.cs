using System.Text.Json.Serialization;
using Isolation.Linux;

namespace Isolation;

/// <summary>The first line of a record: whose it is. Written before anything is made.</summary>
internal sealed class RecordHeader
{
    /// <summary>Raised when an older library must not touch what a newer one has written.</summary>
    internal const int CurrentVersion = 1;

    public required int Version { get; init; }

    public required string Id { get; init; }

    /// <summary>The machine's boot, <see cref="HostScope.Boot"/>.</summary>
    public required string Boot { get; init; }

    public required ulong PidNamespace { get; init; }

    public required ulong TimeNamespace { get; init; }

    public required uint User { get; init; }

    /// <summary>The process that wrote it, as its own pid namespace numbers it.</summary>
    public required int Owner { get; init; }

    /// <summary>For people; nothing is decided by it, because clocks are set.</summary>
    public required DateTimeOffset Started { get; init; }

    public required bool OutlivesHost { get; init; }

    /// <summary>Cut where it is long.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    [JsonIgnore]
    internal HostScope Scope => new(Boot, PidNamespace, TimeNamespace);
}

/// <summary>What is read of the first line before anything else is: a newer one may have nothing else in common.</summary>
internal sealed class RecordVersion
{
    public required int Version { get; init; }
}

/// <summary>A further line of a record: a thing that was made, and must be removed again.</summary>
internal sealed class RecordedResource
{
    /// <summary>Which remover knows how.</summary>
    public required string Kind { get; init; }

    public required IReadOnlyDictionary<string, string> Parameters { get; init; }
}

/// <summary>For reading, without reflection, so that it works ahead of time too. <see cref="RecordWriter"/> writes.</summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(RecordHeader))]
[JsonSerializable(typeof(RecordVersion))]
[JsonSerializable(typeof(RecordedResource))]
internal sealed partial class RecordJson : JsonSerializerContext;
