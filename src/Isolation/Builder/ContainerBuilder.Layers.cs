using System.Collections.Immutable;

namespace Isolation;

public sealed partial class ContainerBuilder
{
    /// <summary>
    /// Who unites the layers of <see cref="FromLayers"/> or of an image. Where nothing is said, the first that works here: overlayfs
    /// in the container's user namespace, overlayfs mounted by the host, AUFS, fuse-overlayfs, a copy; which one it was, and why,
    /// is in <see cref="Container.Enforcement"/>.
    /// </summary>
    /// <remarks>One that does not work here fails the start, with the reason and what helps.</remarks>
    public ContainerBuilder WithUnionDriver(UnionFs.UnionDriver driver)
    {
        if (!Enum.IsDefined(driver)) throw new ArgumentOutOfRangeException(nameof(driver), driver, "There is no such driver.");
        return Set(Draft with { UnionDriver = driver });
    }

    /// <summary>
    /// Keeps what the container writes over its layers in a directory of the host, where it is seen again by the next container of
    /// the same layers with the same directory. One container at a time has it.
    /// </summary>
    /// <param name="directory">Made if it is missing; on a file system with extended attributes that is no overlay itself.</param>
    /// <param name="sizeBytes">The most that it may hold, by a project quota of its file system; no limit where it is null.</param>
    public ContainerBuilder WithLayerDirectory(string directory, long? sizeBytes = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        return Set(Draft with { LayerDirectory = Path.GetFullPath(PathText.Checked(directory, nameof(directory))), LayerBytes = sizeBytes is { } bytes ? Positive(bytes) : null });
    }

    /// <summary>
    /// The root is made of directories of the host that any number of containers share: a file of a higher one hides that of
    /// the same name below it (overlayfs). None of them is ever written.
    /// </summary>
    /// <param name="layers">
    /// From the lowest to the topmost, as absolute paths or relative to the current directory. They must not change while a
    /// container runs on them. What a layer takes away of those below it, it says as overlayfs has it: a character device 0/0
    /// in place of a file, and <c>user.overlay.opaque</c> (in the host's user namespace <c>trusted.overlay.opaque</c>) of a directory.
    /// </param>
    /// <param name="access">Whether the container may write, into a private layer that is thrown away with it, or may only read.</param>
    /// <param name="layerSizeBytes">The most that the private layer may hold, in bytes; 1 GiB by default.</param>
    public ContainerBuilder FromLayers(IReadOnlyList<string> layers, RootAccess access = RootAccess.Layered, long layerSizeBytes = 1L << 30)
    {
        ArgumentNullException.ThrowIfNull(layers);
        if (layers.Count == 0) throw new ArgumentException("There is no layer.", nameof(layers));
        if (access is not (RootAccess.Layered or RootAccess.ReadOnly)) throw new ArgumentOutOfRangeException(nameof(access), access, "Layers are shared and never written: say Layered or ReadOnly.");
        ImmutableArray<string> paths = [.. layers.Select(layer => Path.GetFullPath(PathText.Checked(layer, nameof(layers))))];
        return Set(Draft with { Root = new LayersRoot(paths, access) { LayerSize = Positive(layerSizeBytes) } });
    }
}
