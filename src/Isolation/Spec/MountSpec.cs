namespace Isolation;

/// <summary>A mount of the container besides its root and what every container has.</summary>
internal abstract record MountSpec(string Target);

internal record BindMount(string Source, string Target) : MountSpec(Target)
{
    internal BindOptions Options { get; init; } = new();

    /// <summary>The identity maps it is seen through, where they are not the container's.</summary>
    internal Launch.IdentityMaps? Maps { get; init; }

    /// <summary>In place of the source, layers that the host unites.</summary>
    internal LayersRoot? Union { get; init; }

    /// <summary>Whether the mounts beneath are seen through them too, as is usual.</summary>
    internal bool MapsTree { get; init; } = true;

    /// <summary>Where it is on the host, for a container that has a directory there.</summary>
    internal virtual string SourceFor(string? directory) => Source;
}

/// <summary>A directory that gets what the root has at the target when it is first used.</summary>
/// <param name="HostPath">Null for one of the container's own.</param>
/// <param name="Number">Of the latter.</param>
/// <param name="Target">Where it is mounted.</param>
internal sealed record VolumeMount(string? HostPath, int Number, string Target) : BindMount(HostPath ?? "volume", Target)
{
    internal override string SourceFor(string? directory) => HostPath ?? LaunchDirectory.VolumeOf(directory!, Number);
}

internal sealed record TmpfsMount(string Target) : MountSpec(Target)
{
    internal TmpfsOptions Options { get; init; } = new();
}
