namespace Isolation;

/// <summary>A mount of the container besides its root and what every container has.</summary>
internal abstract record MountSpec(string Target);

internal sealed record BindMount(string Source, string Target) : MountSpec(Target)
{
    internal BindOptions Options { get; init; } = new();
}

internal sealed record TmpfsMount(string Target) : MountSpec(Target)
{
    internal TmpfsOptions Options { get; init; } = new();
}
