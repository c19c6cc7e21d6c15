using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation.Images;

public sealed partial class ImageStore
{
    /// <summary>
    /// Writes the files of an image as a plain tar archive of its root, its layers being one tree: what docker-export(1) writes, and
    /// <see cref="ImportAsync"/> reads. The same image gives the same bytes.
    /// </summary>
    /// <param name="image">Of this store.</param>
    /// <param name="path">Of the archive; it is there when it is complete, and replaces what is there.</param>
    /// <param name="compression">What it is compressed with; nothing by default.</param>
    /// <param name="cancellationToken">Ends it; nothing is left then.</param>
    /// <exception cref="ImageException">A layer is missing or damaged.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public Task ExportAsync(Image image, string path, LayerCompression compression = LayerCompression.None, CancellationToken cancellationToken = default) =>
        ArchiveFile.WriteAsync(path, file => ExportArchiveAsync(image, file, compression, cancellationToken));

    /// <summary>As the other, to a stream, which stays the caller's.</summary>
    /// <inheritdoc cref="ExportAsync"/>
    public async Task ExportArchiveAsync(Image image, Stream archive, LayerCompression compression = LayerCompression.None, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(archive);
        UnpackedImage unpacked = await UnpackAsync(image, cancellationToken).ConfigureAwait(false);
        await RootExport.WriteAsync(unpacked.Layers, null, isMapped: false, new() { Compression = compression }, archive, cancellationToken).ConfigureAwait(false);
        GC.KeepAlive(unpacked); // its layers stay on disk until here
    }
}

/// <summary>A root file system as an archive.</summary>
internal static class RootExport
{
    /// <param name="layers">From the lowest to the topmost.</param>
    /// <param name="upper">What an overlay has written over them.</param>
    /// <param name="isMapped">Whether the owners of what is in the layers are mapped too, and not alone of what is in <paramref name="upper"/>.</param>
    /// <param name="options">How it becomes an archive.</param>
    /// <param name="archive">Where it goes; not disposed.</param>
    /// <param name="cancellationToken">Ends it; a part has been written.</param>
    /// <exception cref="ImageException">A file cannot be read, or cannot be in an archive.</exception>
    internal static async Task WriteAsync(IReadOnlyList<string> layers, FileDescriptor? upper, bool isMapped, PackOptions options, Stream archive, CancellationToken cancellationToken)
    {
        List<FileDescriptor> opened = [];
        try
        {
            foreach (string layer in layers.Reverse()) opened.Add(FileDescriptor.Open(layer, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY));
            MergedTree.Branch[] branches = [.. opened.Prepend(upper).OfType<FileDescriptor>().Select(branch => new MergedTree.Branch(branch, WhiteoutForm.Overlay))];
            PackOptions pack = options;
            if (upper is null) pack = pack with { Left = System.Collections.Frozen.FrozenSet<string>.Empty };
            if (!isMapped) pack = upper is null ? pack with { UserOf = null, GroupOf = null } : pack with { MappedDevice = FileStatus.Of(upper).Device };
            await LayerPacker.PackAsync(new MergedTree(branches), pack, archive, cancellationToken).ConfigureAwait(false);
        }
        catch (LinuxException exception)
        {
            throw ImageException.Of(exception, "Cannot export the root");
        }
        finally
        {
            foreach (FileDescriptor layer in opened) layer.Dispose();
        }
    }
}
