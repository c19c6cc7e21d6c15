using System.Collections.Immutable;

namespace Isolation.Images;

/// <summary>An image in the <c>manifest.json</c> of an archive that docker-save(1) writes (Docker's image specification 1.2, "Combined Image JSON + Filesystem Changeset Format").</summary>
/// <param name="Config">The file with the configuration.</param>
/// <param name="RepoTags">Its names.</param>
/// <param name="Layers">The files with its layers, from the lowest on.</param>
internal sealed record DockerArchiveImage(string Config, ImmutableArray<string>? RepoTags, ImmutableArray<string> Layers);
