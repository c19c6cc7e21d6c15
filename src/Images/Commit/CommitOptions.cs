namespace Isolation.Images;

/// <summary>What a new image is to be, besides its layers. Immutable.</summary>
public sealed record CommitOptions
{
    /// <summary>Its name; none where it is null.</summary>
    public ImageReference? Reference { get; init; }

    /// <summary>Changes how it is run; as the image below it where it is null.</summary>
    public Func<ProgramConfig, ProgramConfig>? Configure { get; init; }

    /// <summary>Who made it.</summary>
    public string? Author { get; init; }

    /// <summary>What is to be said of the change.</summary>
    public string? Comment { get; init; }

    /// <summary>What made the change; for the history.</summary>
    public string? CreatedBy { get; init; }

    /// <summary>When it was made; files that are younger are given this time. With it, the same change gives the same image. Now where it is null.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>How the new layer is compressed; not at all, unless it is said: that takes longer than all else.</summary>
    public LayerCompression Compression { get; init; }
}
