namespace Isolation.Images;

/// <summary>How a store is used. Immutable.</summary>
public sealed record ImageStoreOptions
{
    /// <summary>How much a layer may be.</summary>
    public LayerBounds LayerBounds { get; init; } = LayerBounds.Default;

    /// <summary>How many layers are unpacked at once; as many as there are processors.</summary>
    public int Parallelism { get; init; } = Environment.ProcessorCount;
}
