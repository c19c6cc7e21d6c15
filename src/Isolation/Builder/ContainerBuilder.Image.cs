using Isolation.Images;

namespace Isolation;

public sealed partial class ContainerBuilder
{
    private ImageSource? _image;
    private ImageStore? _store;
    private Platform? _platform;
    private RootAccess _access = RootAccess.Layered;
    private long _layerSize = 1L << 30;

    /// <summary>
    /// The root is an image of the store: its layers, which all containers of it share, under a private layer that is thrown away with
    /// the container. Entrypoint, command, environment, user, working directory and stop signal are the image's where no
    /// call says otherwise.
    /// </summary>
    /// <param name="reference">As docker(1) takes it: <c>debian:12</c>, <c>localhost:5000/team/tool@sha256:…</c>.</param>
    /// <exception cref="FormatException">It is no name of an image.</exception>
    public ContainerBuilder FromImage(string reference) => FromImage(ImageReference.Parse(reference));

    /// <summary>As the other, by a name that was read before.</summary>
    public ContainerBuilder FromImage(ImageReference reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return FromImage(new ImageSource(reference, null, null));
    }

    /// <summary>As the other, of an image that was found in the store.</summary>
    public ContainerBuilder FromImage(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return FromImage(new ImageSource(null, image, null));
    }

    /// <summary>As the other, of an image whose layers are unpacked: nothing is left to be looked up.</summary>
    public ContainerBuilder FromImage(UnpackedImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return FromImage(new ImageSource(null, null, image));
    }

    /// <summary>What the container may do with an image's files: write a private layer over them, which is what it may by default, or read them.</summary>
    /// <param name="access">Layered or read-only: the layers themselves are shared and never written.</param>
    /// <param name="layerSizeBytes">The most that the private layer may hold, in bytes; 1 GiB by default.</param>
    public ContainerBuilder WithImageAccess(RootAccess access, long layerSizeBytes = 1L << 30)
    {
        if (access is not (RootAccess.Layered or RootAccess.ReadOnly)) throw new ArgumentOutOfRangeException(nameof(access), access, "Layers are shared and never written: say Layered or ReadOnly.");
        (_access, _layerSize) = (access, Positive(layerSizeBytes));
        return Set(Draft);
    }

    /// <summary>Where images are looked for; <see cref="ImageStore.DefaultPath"/> by default. It stays the caller's.</summary>
    public ContainerBuilder WithImageStore(ImageStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        _store = store;
        return Set(Draft);
    }

    /// <summary>Which of an index's images is meant; this machine's by default.</summary>
    public ContainerBuilder WithPlatform(Platform platform)
    {
        ArgumentNullException.ThrowIfNull(platform);
        _platform = platform;
        return Set(Draft);
    }

    /// <summary>What the command is given to, in place of the image's entrypoint and of its command; nothing for none.</summary>
    public ContainerBuilder WithEntrypoint(params IReadOnlyList<string> entrypoint)
    {
        ArgumentNullException.ThrowIfNull(entrypoint);
        return Set(Draft with { Entrypoint = [.. entrypoint] });
    }

    /// <summary>As <see cref="Build"/>, without blocking while an image is looked up, and unpacked where it is not yet.</summary>
    /// <exception cref="ImageException">The image is not in the store, or damaged.</exception>
    /// <inheritdoc cref="Build"/>
    public async Task<ContainerSpec> BuildAsync(CancellationToken cancellationToken = default)
    {
        if (_built is not null) return _built;
        ContainerSpec draft = Draft;
        if (_image is { } source) draft = ImageSettings.Apply(draft, await source.UnpackAsync(_store, _platform, cancellationToken).ConfigureAwait(false), _access, _layerSize);
        SpecValidation.Check(draft);
        return _built = draft;
    }

    private ContainerBuilder FromImage(ImageSource source)
    {
        Set(Draft with { Root = null });
        _image = source;
        return this;
    }
}
