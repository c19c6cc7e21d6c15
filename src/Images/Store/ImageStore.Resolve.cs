namespace Isolation.Images;

public sealed partial class ImageStore
{
    /// <summary>How many indexes may be in one another.</summary>
    internal const int MostNested = 8;

    /// <summary>The image that a descriptor leads to; of an index the one for a platform, be it in an index within.</summary>
    /// <param name="descriptor">Of a manifest or an index.</param>
    /// <param name="reference">By which it was found.</param>
    /// <param name="platform">What it must run on; null for this machine where there are several, and for any where there is one.</param>
    /// <returns>Null where it is none for the platform, or an artifact.</returns>
    /// <exception cref="ImageException">It is of another type, missing, or damaged.</exception>
    internal Image? Resolve(Descriptor descriptor, ImageReference? reference, Platform? platform)
    {
        if (!MediaTypes.IsIndex(descriptor.MediaType)) return ReadAs(descriptor, content => ImageOf(descriptor, reference, content, platform));
        List<(Descriptor Manifest, Platform? Platform)> offered = Offered(descriptor);
        return (platform ?? Platform.Current).Choose([.. offered.Select(each => each.Platform)]) is { } chosen
            ? ReadAs(offered[chosen].Manifest, content => ImageOf(offered[chosen].Manifest, reference, content, null)) : null;
    }

    /// <summary>What is wrong where there is no image for a platform.</summary>
    private ImageException NoImage(ImageReference reference, Platform platform)
    {
        string why = WhyNone(reference, platform, out bool isOther);
        return new(ImageErrorReason.NotFound, why, remedy: isOther ? "load one for this platform, or say which is meant with WithPlatform" : "load it (ImageStore.LoadAsync), pull it (ImageStore.PullAsync), or name one that ListAsync lists");
    }

    /// <summary>As a sentence without its end.</summary>
    internal string WhyNone(ImageReference reference, Platform platform, out bool isOther)
    {
        Descriptor? descriptor = Find(reference);
        string[] there = descriptor is null ? [] : MediaTypes.IsIndex(descriptor.MediaType) ? [.. Offered(descriptor).Select(each => each.Platform).OfType<Platform>().Select(each => each.ToString()).Distinct()]
            : Resolve(descriptor, reference, null) is { } other ? [other.Platform.ToString()] : [];
        isOther = there is not [];
        return isOther ? $"The image {reference} is for {string.Join(" and ", there)}, and not for {platform}" : $"The image {reference} is not in the store '{Path}'";
    }

    /// <summary>The manifests of an index and of those within, with what each runs on.</summary>
    private List<(Descriptor Manifest, Platform? Platform)> Offered(Descriptor index)
    {
        List<(Descriptor, Platform?)> offered = [];
        HashSet<Digest> seen = [];
        Add(index, 0);
        return offered;

        void Add(Descriptor of, int depth)
        {
            if (depth == MostNested) throw new ImageException(ImageErrorReason.InvalidContent, $"The index {index.Digest} is more than {MostNested} indexes deep");
            if (!seen.Add(of.Digest)) return;
            foreach (Descriptor part in ReadAs(of, content => ImageJson.ReadIndex(content)).Manifests)
            {
                if (MediaTypes.IsManifest(part.MediaType)) offered.Add((part, part.Platform?.ToPlatform() ?? PlatformOf(part)));
                else if (MediaTypes.IsIndex(part.MediaType) && Blobs.Has(part)) Add(part, depth + 1);
            }
        }
    }

    /// <summary>Where the index does not say it, the configuration does; null where that is not here, or of an artifact.</summary>
    private Platform? PlatformOf(Descriptor manifest) => Blobs.Has(manifest) ? ReadAs(manifest, content => ImageOf(manifest, null, content, null))?.Platform : null;

    private T ReadAs<T>(Descriptor descriptor, Func<byte[], T> read)
    {
        if (!MediaTypes.IsIndex(descriptor.MediaType) && !MediaTypes.IsManifest(descriptor.MediaType)) throw new ImageException(ImageErrorReason.NotSupported, $"{descriptor.Digest} is of the type '{descriptor.MediaType}', which is no image");
        byte[] content = Blobs.Read(descriptor);
        try
        {
            return read(content);
        }
        catch (FormatException exception)
        {
            throw new ImageException(ImageErrorReason.InvalidContent, $"The {descriptor.MediaType} {descriptor.Digest} cannot be read", exception);
        }
    }

    private Image? ImageOf(Descriptor descriptor, ImageReference? reference, byte[] content, Platform? platform)
    {
        Manifest manifest = ImageJson.ReadManifest(content, descriptor.MediaType);
        if (manifest.Config.MediaType is not (MediaTypes.Config or MediaTypes.DockerConfig)) return null; // an artifact
        ImageConfig config;
        try
        {
            config = ImageJson.ReadConfig(Blobs.Read(manifest.Config));
        }
        catch (FormatException exception)
        {
            throw new ImageException(ImageErrorReason.InvalidContent, $"The configuration {manifest.Config.Digest} cannot be read", exception);
        }

        if (config.RootFs.DiffIds.Length != manifest.Layers.Length) throw new FormatException($"Its manifest has {manifest.Layers.Length} layers, and its configuration {config.RootFs.DiffIds.Length}.");
        return platform is not null && platform.Choose([config.Platform]) is null ? null : new(reference, descriptor, manifest, config);
    }
}
