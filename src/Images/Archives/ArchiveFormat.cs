namespace Isolation.Images;

/// <summary>How images are written.</summary>
public enum ArchiveFormat
{
    /// <summary>An archive of an OCI image layout: podman-load(1), docker-load(1) from 25 on, skopeo's <c>oci-archive</c>.</summary>
    Oci,

    /// <summary>What docker-save(1) writes, for any docker-load(1); layers are decompressed, for so it wants them.</summary>
    Docker,

    /// <summary>A directory that is an OCI image layout: umoci(1), skopeo's and buildah's <c>oci</c>.</summary>
    Layout,
}
