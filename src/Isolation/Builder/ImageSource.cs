using Isolation.Images;

namespace Isolation;

/// <summary>Which image a container is to be made of: by its name, found, or unpacked.</summary>
internal sealed record ImageSource(ImageReference? Reference, Image? Found, UnpackedImage? Unpacked)
{
    /// <summary>Its layers, unpacked where they are not yet.</summary>
    /// <exception cref="ImageException">There is none, none for the platform, or it is damaged.</exception>
    internal async Task<UnpackedImage> UnpackAsync(ImageStore? store, Platform? platform, CancellationToken cancellationToken)
    {
        if (Unpacked is not null) return Unpacked;
        store ??= await ImageStore.OpenAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        if (Found is { } found && (platform ?? Platform.Current).Choose([found.Platform]) is null)
            throw new ImageException(ImageErrorReason.NotSupported, $"The image {found} is for {found.Platform}, and not for {platform ?? Platform.Current}", remedy: "load one for this platform; where the kernel runs programs of another (binfmt_misc), say so with WithPlatform");
        Image image = Found ?? await store.GetAsync(Reference!, platform, cancellationToken).ConfigureAwait(false);
        return await store.UnpackAsync(image, cancellationToken).ConfigureAwait(false);
    }
}
