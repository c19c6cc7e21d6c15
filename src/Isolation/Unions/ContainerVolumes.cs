using System.Collections.Immutable;
using Isolation.Launch;
using Isolation.UnionFs;

namespace Isolation;

/// <summary>The volumes of a container: made where they are missing, and filled with what the root has there where they are empty.</summary>
internal static class ContainerVolumes
{
    private const uint Nobody = 65534;
    /// <exception cref="UnionFsException">One cannot be filled.</exception>
    internal static Task FillAsync(PlanInputs inputs, CancellationToken cancellationToken) =>
        inputs.Spec.Mounts.Any(mount => mount is VolumeMount) ? Task.Run(() => Fill(inputs, cancellationToken), cancellationToken) : Task.CompletedTask;

    private static void Fill(PlanInputs inputs, CancellationToken cancellationToken)
    {
        ImmutableArray<string> layers = inputs.Spec.Root switch { LayersRoot root => root.Layers, DirectoryRoot root => [root.Path], _ => [] };
        foreach (VolumeMount volume in inputs.Spec.Mounts.OfType<VolumeMount>())
        {
            string path = volume.SourceFor(inputs.Directory);
            Directory.CreateDirectory(path);
            if (!layers.IsEmpty) VolumeContent.Fill(path, layers, volume.Target, inputs.MappedBinds.Contains(volume) ? null : Owners(inputs), cancellationToken);
        }
    }

    // A bind that is not mapped shows the owners that are on disk, so they are those that the container has there.
    private static (Func<uint, uint>, Func<uint, uint>)? Owners(PlanInputs inputs)
    {
        if (!inputs.NewUser || inputs.Maps is not { AreOntoThemselves: false } maps) return null;
        return (id => IdentityMaps.ToHost(maps.Users, id) ?? Nobody, id => IdentityMaps.ToHost(maps.Groups, id) ?? Nobody);
    }
}
