namespace Isolation.Images;

/// <summary>What content is (OCI image-spec 1.1, media-types.md; Docker's image manifest version 2, schema 2).</summary>
public static class MediaTypes
{
    /// <summary>A manifest.</summary>
    public const string Manifest = "application/vnd.oci.image.manifest.v1+json", DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

    /// <summary>A list of manifests, and of such lists.</summary>
    public const string Index = "application/vnd.oci.image.index.v1+json", DockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// <summary>The configuration of an image.</summary>
    public const string Config = "application/vnd.oci.image.config.v1+json", DockerConfig = "application/vnd.docker.container.image.v1+json";

    /// <summary>A layer: a tar archive.</summary>
    public const string Layer = "application/vnd.oci.image.layer.v1.tar", LayerGzip = Layer + "+gzip", LayerZstd = Layer + "+zstd";

    /// <summary>A layer of Docker's.</summary>
    public const string DockerLayer = "application/vnd.docker.image.rootfs.diff.tar", DockerLayerGzip = DockerLayer + ".gzip", DockerLayerZstd = DockerLayer + ".zstd";

    /// <summary>A layer that was not to be passed on; deprecated by both.</summary>
    public const string LayerRestricted = "application/vnd.oci.image.layer.nondistributable.v1.tar", DockerLayerForeign = "application/vnd.docker.image.rootfs.foreign.diff.tar";

    /// <summary>The two bytes <c>{}</c>, where a descriptor must be and there is nothing to describe.</summary>
    public const string Empty = "application/vnd.oci.empty.v1+json";

    /// <summary>Whether it is a list of manifests.</summary>
    public static bool IsIndex(string? mediaType) => mediaType is Index or DockerManifestList;

    /// <summary>Whether it is a manifest.</summary>
    public static bool IsManifest(string? mediaType) => mediaType is Manifest or DockerManifest;

    /// <summary>OCI's name for a type of Docker's, and any other as it is.</summary>
    internal static string OciOf(string mediaType) => mediaType switch
    {
        DockerLayer => Layer,
        DockerLayerGzip => LayerGzip,
        DockerLayerZstd => LayerZstd,
        DockerManifest => Manifest,
        DockerManifestList => Index,
        DockerConfig => Config,
        _ => mediaType,
    };

    /// <summary>How a layer of this type is compressed; null where it is no type of a layer.</summary>
    public static LayerCompression? CompressionOf(string mediaType)
    {
        ArgumentNullException.ThrowIfNull(mediaType);
        foreach (string tar in (ReadOnlySpan<string>)[Layer, DockerLayer, LayerRestricted, DockerLayerForeign])
        {
            if (!mediaType.StartsWith(tar, StringComparison.Ordinal)) continue;
            switch (mediaType[tar.Length..])
            {
                case "": return LayerCompression.None;
                case "+gzip" or ".gzip": return LayerCompression.Gzip;
                case "+zstd" or ".zstd": return LayerCompression.Zstd;
            }
        }

        return null;
    }
}

/// <summary>How a layer is compressed.</summary>
public enum LayerCompression
{
    /// <summary>It is a tar archive as it is.</summary>
    None,

    /// <summary>RFC 1952.</summary>
    Gzip,

    /// <summary>RFC 8878.</summary>
    Zstd,
}
