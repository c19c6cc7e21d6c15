namespace Isolation.Images;

/// <summary>All that the index of a store leads to.</summary>
internal sealed class StoreMarks
{
    /// <summary>Blobs, with the images that need them.</summary>
    internal Dictionary<Digest, (Descriptor Descriptor, List<string> Images)> Blobs { get; } = [];

    /// <summary>Unpacked layers, likewise, and the blobs that they are made of.</summary>
    internal Dictionary<Digest, (ImageLayer Layer, List<string> Images)> Layers { get; } = [];

    /// <summary>Layers over each other, by their chain ID.</summary>
    internal Dictionary<Digest, (IReadOnlyList<ImageLayer> Layers, List<string> Images)> Chains { get; } = [];

    /// <summary>A manifest, index or configuration that cannot be read, so that what it leads to is not marked; null where there is none.</summary>
    internal (string Image, Exception Cause)? Unreadable { get; private set; }

    /// <summary>Goes through a descriptor. What is damaged or missing is marked, and not gone into.</summary>
    internal void Add(BlobFiles blobs, Descriptor descriptor, string image, int depth = 0)
    {
        const int MostNested = 8;
        if (!Blobs.TryGetValue(descriptor.Digest, out (Descriptor Descriptor, List<string> Images) marked)) Blobs.Add(descriptor.Digest, marked = (descriptor, []));
        if (!marked.Images.Contains(image)) marked.Images.Add(image);
        if (depth > MostNested || !(MediaTypes.IsIndex(descriptor.MediaType) || MediaTypes.IsManifest(descriptor.MediaType))) return;
        try
        {
            byte[] content = blobs.Read(descriptor);
            if (MediaTypes.IsIndex(descriptor.MediaType))
            {
                foreach (Descriptor part in ImageJson.ReadIndex(content).Manifests) Add(blobs, part, image, depth + 1);
                return;
            }

            Manifest manifest = ImageJson.ReadManifest(content);
            foreach (Descriptor part in (IEnumerable<Descriptor>)[manifest.Config, .. manifest.Layers]) Add(blobs, part, image, depth + 1);
            if (manifest.Config.MediaType is not (MediaTypes.Config or MediaTypes.DockerConfig)) return;
            ImageConfig config = ImageJson.ReadConfig(blobs.Read(manifest.Config));
            ImageLayer[] layers = [.. manifest.Layers.Zip(config.RootFs.DiffIds, (layer, diffId) => new ImageLayer(layer, diffId))];
            foreach (ImageLayer layer in layers)
            {
                if (!Layers.TryGetValue(layer.DiffId, out (ImageLayer Layer, List<string> Images) unpacked)) Layers.Add(layer.DiffId, unpacked = (layer, []));
                if (!unpacked.Images.Contains(image)) unpacked.Images.Add(image);
            }

            if (layers is []) return;
            Digest chainId = LayerDirectories.ChainOf(layers);
            if (!Chains.TryGetValue(chainId, out (IReadOnlyList<ImageLayer> Layers, List<string> Images) chain)) Chains.Add(chainId, chain = (layers, []));
            if (!chain.Images.Contains(image)) chain.Images.Add(image);
        }
        catch (Exception exception) when (exception is ImageException or FormatException)
        {
            // VerifyAsync says so. Of an index the images for other platforms may be missing.
            if (depth == 0 || blobs.Has(descriptor)) Unreadable ??= (image, exception);
        }
    }
}
