using Isolation.Images;

namespace Isolation;

public sealed partial class ContainerBuilder
{
    private ImageSource? _image;
    private ImageStore? _store;
    private Platform? _platform;
    private PullPolicy _pullPolicy;
    private PullOptions? _pull;
    private RootAccess _access = RootAccess.Layered;
    private long _layerSize = 1L << 30;

    /// <summary>
    /// The root is an image of the store, or of its registry where the store has not got it (<see cref="WithPullPolicy"/>): its layers, which all containers of it share, under a private layer that is thrown away with
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
        return FromImage(new ImageSource(Reference: reference));
    }

    /// <summary>As the other, of an image that was found in the store.</summary>
    public ContainerBuilder FromImage(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return FromImage(new ImageSource(Found: image));
    }

    /// <summary>As the other, of an image whose layers are unpacked: nothing is left to be looked up.</summary>
    public ContainerBuilder FromImage(UnpackedImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return FromImage(new ImageSource(Unpacked: image));
    }

    /// <summary>As the other, of an image in an archive, such as <see cref="ImageStore.SaveAsync(IReadOnlyList{Image}, string, ArchiveFormat, CancellationToken)"/> or <c>docker save</c> writes; it comes into the store. No registry is asked.</summary>
    /// <param name="open">Opens it when the container is built: a file, or a resource of a program (<c>() => assembly.GetManifestResourceStream("image.tar")!</c>). What it opens is disposed.</param>
    public ContainerBuilder FromImageArchive(Func<Stream> open)
    {
        ArgumentNullException.ThrowIfNull(open);
        return FromImage(new ImageSource(Archive: open));
    }

    /// <inheritdoc cref="FromImageArchive(Func{Stream})"/>
    /// <param name="path">Of a file.</param>
    public ContainerBuilder FromImageArchive(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return FromImageArchive(() => File.OpenRead(path));
    }

    /// <summary>When the registry of an image is asked for it: <see cref="PullPolicy.Missing"/> by default, so that an image that is in the store needs no network.</summary>
    /// <param name="policy">When.</param>
    /// <param name="options">How; what they say of the platform is overruled by <see cref="WithPlatform"/>, and the image is unpacked in any case.</param>
    public ContainerBuilder WithPullPolicy(PullPolicy policy, PullOptions? options = null)
    {
        if (!Enum.IsDefined(policy)) throw new ArgumentOutOfRangeException(nameof(policy), policy, "Say Missing, Always or Never.");
        (_pullPolicy, _pull) = (policy, options);
        return Set(Draft);
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

    /// <summary>As <see cref="Build"/>, without blocking while an image is looked up, pulled, and unpacked where it is not yet.</summary>
    /// <exception cref="ImageException">The image is not to be had, or damaged.</exception>
    /// <inheritdoc cref="Build"/>
    public async Task<ContainerSpec> BuildAsync(CancellationToken cancellationToken = default)
    {
        if (_built is not null) return _built;
        ContainerSpec draft = Draft;
        if (_image is { } source) draft = ImageSettings.Apply(draft, await source.UnpackAsync(_store, _platform, _pullPolicy, _pull, cancellationToken).ConfigureAwait(false), _access, _layerSize);
        return Built(draft);
    }

    private ContainerBuilder FromImage(ImageSource source)
    {
        Set(Draft with { Root = null });
        _image = source;
        return this;
    }
}
