using System.Collections.Immutable;

namespace Isolation;

/// <summary>From which nodes memory is taken (set_mempolicy(2)).</summary>
/// <param name="Name">Of the mode.</param>
/// <param name="Mode">MPOL_* with its flags.</param>
/// <param name="Nodes">By their numbers; none where the mode takes none.</param>
internal sealed record MemoryPolicy(string Name, int Mode, ImmutableArray<int> Nodes)
{
    public override string ToString() => $"{Name} of {string.Join(", ", Nodes)}";
}
