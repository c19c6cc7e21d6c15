namespace Isolation.Images;

public sealed partial class ImageStore
{
    /// <summary>
    /// What is said of an image, or of any other manifest, by manifests that name it as their subject: signatures, lists of what is in it.
    /// Each with its artifact type and its annotations (OCI distribution-spec 1.1, "Listing Referrers").
    /// </summary>
    /// <exception cref="ImageException">A manifest of the store is damaged.</exception>
    public async Task<IReadOnlyList<Descriptor>> ListReferrersAsync(Digest subject, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(subject);
        return await Task.Run(() =>
        {
            List<Descriptor> found = [];
            HashSet<Digest> seen = [];
            foreach (Descriptor descriptor in ReadIndex().Manifests) AddReferrers(descriptor, subject, found, seen, 0);
            return found;
        }, cancellationToken).ConfigureAwait(false);
    }

    private void AddReferrers(Descriptor descriptor, Digest subject, List<Descriptor> found, HashSet<Digest> seen, int depth)
    {
        // Of an index the images for other platforms may be missing.
        if (depth == MostNested || !seen.Add(descriptor.Digest) || !Blobs.Has(descriptor)) return;
        if (MediaTypes.IsManifest(descriptor.MediaType) && ReadAs(descriptor, content => ImageJson.ReadManifest(content)) is { } manifest && manifest.Subject?.Digest == subject)
            found.Add(new() { MediaType = descriptor.MediaType, Digest = descriptor.Digest, Size = descriptor.Size, ArtifactType = manifest.ArtifactType ?? manifest.Config.MediaType, Annotations = manifest.Annotations });
        if (!MediaTypes.IsIndex(descriptor.MediaType)) return;
        ImageIndex index = ReadAs(descriptor, content => ImageJson.ReadIndex(content));
        if (index.Subject?.Digest == subject) found.Add(new() { MediaType = descriptor.MediaType, Digest = descriptor.Digest, Size = descriptor.Size, ArtifactType = index.ArtifactType, Annotations = index.Annotations });
        foreach (Descriptor part in index.Manifests) AddReferrers(part, subject, found, seen, depth + 1);
    }
}
