using Isolation.Images;

namespace Isolation;

/// <summary>Which image a container is to be made of: by its name, found, or unpacked.</summary>
internal sealed record ImageSource(ImageReference? Reference = null, Image? Found = null, UnpackedImage? Unpacked = null, Func<Stream>? Archive = null)
{
    /// <summary>Its layers, unpacked where they are not yet.</summary>
    /// <exception cref="ImageException">There is none, none for the platform, or it is damaged.</exception>
    internal async Task<UnpackedImage> UnpackAsync(ImageStore? store, Platform? platform, PullPolicy policy, PullOptions? pull, CancellationToken cancellationToken)
    {
        if (Unpacked is not null) return Unpacked;
        store ??= await ImageStore.OpenAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        if (Found is { } found && (platform ?? Platform.Current).Choose([found.Platform]) is null)
            throw new ImageException(ImageErrorReason.NotSupported, $"The image {found} is for {found.Platform}, and not for {platform ?? Platform.Current}", remedy: "load one for this platform; where the kernel runs programs of another (binfmt_misc), say so with WithPlatform");
        Image image = Found ?? (Archive is null ? await FindAsync(store, platform, policy, pull ?? new(), cancellationToken).ConfigureAwait(false) : await LoadAsync(store, Archive, platform, cancellationToken).ConfigureAwait(false));
        return await store.UnpackAsync(image, cancellationToken).ConfigureAwait(false);
    }

    private async Task<Image> FindAsync(ImageStore store, Platform? platform, PullPolicy policy, PullOptions pull, CancellationToken cancellationToken)
    {
        if (policy == PullPolicy.Never) return await store.GetAsync(Reference!, platform, cancellationToken).ConfigureAwait(false);
        PullOptions options = pull with { Platform = platform ?? pull.Platform, Unpack = true };
        if (policy == PullPolicy.Always) return await store.PullAsync(Reference!, options, cancellationToken).ConfigureAwait(false);
        if (await store.FindAsync(Reference!, options.Platform, cancellationToken).ConfigureAwait(false) is { } there) return there;
        try
        {
            return await store.PullAsync(Reference!, options, cancellationToken).ConfigureAwait(false);
        }
        catch (ImageException exception)
        {
            throw new ImageException(exception.Reason, $"{store.WhyNone(Reference!.WithDefaultTag(), options.Platform ?? Platform.Current, out _)}, and it cannot be pulled", exception);
        }
    }

    private static async Task<Image> LoadAsync(ImageStore store, Func<Stream> open, Platform? platform, CancellationToken cancellationToken)
    {
        Stream archive = open() ?? throw new InvalidOperationException("There is no archive: the function that opens it has given null, as a resource that is not there does.");
        await using (archive.ConfigureAwait(false))
        {
            IReadOnlyList<Image> images = await store.LoadArchiveAsync(archive, cancellationToken: cancellationToken).ConfigureAwait(false);
            Platform wanted = platform ?? Platform.Current;
            return wanted.Choose([.. images.Select(image => image.Platform)]) is { } chosen ? images[chosen]
                : throw new ImageException(ImageErrorReason.NotFound, $"The archive has {(images is [] ? "no image" : $"images for {string.Join(" and ", images.Select(image => image.Platform).Distinct())}")}, and none for {wanted}", remedy: "say which is meant with WithPlatform");
        }
    }
}
