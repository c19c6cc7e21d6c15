using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Isolation.Images;

/// <summary>How an image is run, and how it came to be (OCI image-spec 1.1, config.md; Docker's image specification 1.2).</summary>
public sealed record ImageConfig : ImageObject
{
    /// <summary>When it was made.</summary>
    [JsonPropertyName("created")]
    public DateTimeOffset? Created { get; init; }

    /// <summary>Who made it.</summary>
    [JsonPropertyName("author")]
    public string? Author { get; init; }

    /// <summary>Go's GOARCH.</summary>
    [JsonPropertyName("architecture")]
    public required string Architecture { get; init; }

    /// <summary>Of the architecture.</summary>
    [JsonPropertyName("variant")]
    public string? Variant { get; init; }

    /// <summary>Go's GOOS.</summary>
    [JsonPropertyName("os")]
    public required string Os { get; init; }

    /// <summary>Of Windows.</summary>
    [JsonPropertyName("os.version")]
    public string? OsVersion { get; init; }

    /// <summary>Of Windows.</summary>
    [JsonPropertyName("os.features")]
    public ImmutableArray<string>? OsFeatures { get; init; }

    /// <summary>What a container of it begins with.</summary>
    [JsonPropertyName("config")]
    public ProgramConfig? Config { get; init; }

    /// <summary>What its layers hold.</summary>
    [JsonPropertyName("rootfs")]
    public required RootFileSystem RootFs { get; init; }

    /// <summary>How each layer came to be, from the lowest on; steps without a layer of their own say so.</summary>
    [JsonPropertyName("history")]
    public ImmutableArray<HistoryEntry>? History { get; init; }

    /// <summary>What it runs on.</summary>
    [JsonIgnore]
    public Platform Platform => new Platform(Os, Architecture, Variant).Normalized();
}

/// <summary>What a container begins with.</summary>
public sealed record ProgramConfig : ImageObject
{
    /// <summary>A name or number, with <c>:group</c> where one is given.</summary>
    [JsonPropertyName("User")]
    public string? User { get; init; }

    /// <summary><c>80/tcp</c> and the like, as keys.</summary>
    [JsonPropertyName("ExposedPorts")]
    public ImmutableSortedDictionary<string, Nothing>? ExposedPorts { get; init; }

    /// <summary><c>NAME=value</c>.</summary>
    [JsonPropertyName("Env")]
    public ImmutableArray<string>? Environment { get; init; }

    /// <summary>What every command is given to.</summary>
    [JsonPropertyName("Entrypoint")]
    public ImmutableArray<string>? Entrypoint { get; init; }

    /// <summary>The command where none is given.</summary>
    [JsonPropertyName("Cmd")]
    public ImmutableArray<string>? Command { get; init; }

    /// <summary>Directories that a container has of its own, as keys.</summary>
    [JsonPropertyName("Volumes")]
    public ImmutableSortedDictionary<string, Nothing>? Volumes { get; init; }

    /// <summary>An absolute path.</summary>
    [JsonPropertyName("WorkingDir")]
    public string? WorkingDirectory { get; init; }

    /// <summary>Whatever somebody wanted to say of it.</summary>
    [JsonPropertyName("Labels")]
    public ImmutableSortedDictionary<string, string>? Labels { get; init; }

    /// <summary><c>SIGNAME</c>, or <c>SIGRTMIN+3</c>.</summary>
    [JsonPropertyName("StopSignal")]
    public string? StopSignal { get; init; }

    /// <summary>How it is asked whether the program does its work. Docker's: OCI reserves the field.</summary>
    [JsonPropertyName("Healthcheck")]
    public HealthCheck? HealthCheck { get; init; }
}

/// <summary>A program that is run in a container now and then, whose exit code 0 says that all is well (Docker's image specification 1.2, "Healthcheck").</summary>
public sealed record HealthCheck : ImageObject
{
    /// <summary><c>CMD</c> and arguments, <c>CMD-SHELL</c> and a line for the shell, or <c>NONE</c>; nothing for what the image below says.</summary>
    [JsonPropertyName("Test")]
    public ImmutableArray<string>? Test { get; init; }

    /// <summary>From one to the next, in nanoseconds; 0 for what is customary.</summary>
    [JsonPropertyName("Interval")]
    public long? Interval { get; init; }

    /// <summary>How long one may take, in nanoseconds.</summary>
    [JsonPropertyName("Timeout")]
    public long? Timeout { get; init; }

    /// <summary>How long failures do not count at the beginning, in nanoseconds.</summary>
    [JsonPropertyName("StartPeriod")]
    public long? StartPeriod { get; init; }

    /// <summary>How many failures in a row there are before all is not well.</summary>
    [JsonPropertyName("Retries")]
    public long? Retries { get; init; }
}

/// <summary>The object <c>{}</c>: of a map, the key alone says something.</summary>
public sealed record Nothing;

/// <summary>The contents of an image's layers.</summary>
public sealed record RootFileSystem : ImageObject
{
    /// <summary><c>layers</c>, always.</summary>
    [JsonPropertyName("type")]
    public required string Type { get; init; }

    /// <summary>Of each layer's tar archive before it was compressed, from the lowest on.</summary>
    [JsonPropertyName("diff_ids")]
    public required ImmutableArray<Digest> DiffIds { get; init; }
}

/// <summary>A step of how an image came to be.</summary>
public sealed record HistoryEntry : ImageObject
{
    /// <summary>When.</summary>
    [JsonPropertyName("created")]
    public DateTimeOffset? Created { get; init; }

    /// <summary>Who.</summary>
    [JsonPropertyName("author")]
    public string? Author { get; init; }

    /// <summary>By what.</summary>
    [JsonPropertyName("created_by")]
    public string? CreatedBy { get; init; }

    /// <summary>What was said of it.</summary>
    [JsonPropertyName("comment")]
    public string? Comment { get; init; }

    /// <summary>It has no layer.</summary>
    [JsonPropertyName("empty_layer")]
    public bool? IsEmptyLayer { get; init; }
}
