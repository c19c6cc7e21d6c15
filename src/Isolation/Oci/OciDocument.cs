using System.Collections.Immutable;

namespace Isolation;

/// <summary>A <c>config.json</c> of the Open Container Initiative (runtime-spec 1.3). Immutable.</summary>
/// <param name="Json">The document.</param>
/// <param name="Omitted">What the spec says and no field of the standard can, each in words; empty where all is said.</param>
public sealed record OciDocument(string Json, ImmutableArray<string> Omitted)
{
    /// <inheritdoc/>
    public override string ToString() => Json;
}
