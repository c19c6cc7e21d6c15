namespace Isolation.Images;

/// <summary>How much a layer may be: who made it may be nobody's friend. Immutable.</summary>
public sealed record LayerBounds
{
    /// <summary>What holds where nothing is said.</summary>
    public static LayerBounds Default { get; } = new();

    /// <summary>Of the archive, and of the sizes of all files with their holes, in bytes; 64 GiB.</summary>
    public long Bytes { get; init; } = 64L << 30;

    /// <summary>Of files of any kind; four millions.</summary>
    public long Entries { get; init; } = 4_000_000;

    /// <summary>How many bytes a byte of the blob may become, once there are more than <see cref="RatioFrom"/>; 200.</summary>
    public int Ratio { get; init; } = 200;

    /// <summary>In bytes of the archive; 256 MiB.</summary>
    public long RatioFrom { get; init; } = 256L << 20;

    /// <summary>How many directories a file may be in; 200.</summary>
    public int Depth { get; init; } = 200;
}
