using System.Security.Cryptography;
using System.Text;
using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation.Images;

/// <summary>
/// A layer can have files in a directory and no entry of it: then owner, mode, times and attributes are those that the layers below say.
/// So it depends on all layers of an image, and the unpacked ones, which many images share, do not have it: it lies over them as
/// one more, of directories alone, named by the chain ID of the layers (image-spec, config.md). Safe from any thread, and any process.
/// </summary>
internal sealed class LayerDirectories(StoreFiles files)
{
    /// <summary>What stands for layers over each other: ChainID of image-spec's config.md.</summary>
    internal static Digest ChainOf(IEnumerable<ImageLayer> layers) =>
        layers.Select(layer => layer.DiffId).Aggregate((below, diffId) => Digest.Parse($"sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes($"{below} {diffId}")))}"));

    /// <summary>The directory that goes over the layers of an image; null where they need none.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="trees">Where they are unpacked, from the lowest to the topmost.</param>
    /// <param name="cancellationToken">Ends it; nothing is left then.</param>
    /// <exception cref="ImageException">It cannot be written.</exception>
    internal async Task<string?> MakeAsync(IReadOnlyList<ImageLayer> layers, IReadOnlyList<string> trees, CancellationToken cancellationToken)
    {
        if (trees.Count < 2 || !trees.Any(LayerFiles.HasUndescribed)) return null;
        Digest chain = ChainOf(layers);
        string path = PathOf(chain), name = Path.GetFileName(path);
        if (!IsThere(path, chain))
        {
            using IDisposable held = await files.LockAsync(name, cancellationToken).ConfigureAwait(false);
            if (!IsThere(path, chain)) Make(path, chain, trees, cancellationToken); // somebody may have been faster
        }

        string tree = Path.Join(path, LayerFiles.Tree);
        return Directory.Exists(tree) ? tree : null;
    }

    /// <summary>What is wrong with what lies over layers, found by making it once more; null where nothing is, or it is not there.</summary>
    /// <exception cref="ImageException">It cannot be made for want of room or of rights.</exception>
    internal async Task<string?> ProblemOfAsync(Digest chain, IReadOnlyList<string> trees, CancellationToken cancellationToken)
    {
        string path = PathOf(chain);
        if (!Directory.Exists(path)) return null;
        try
        {
            using TemporaryPlace place = files.MakeTemporary();
            string made = Path.Join(place.Path, "made");
            StoreCalls.MakeDirectory(made);
            Fill(made, trees, cancellationToken);
            string? wanted = await PackedAsync(made, cancellationToken).ConfigureAwait(false), got = await PackedAsync(path, cancellationToken).ConfigureAwait(false);
            return IsThere(path, chain) && got == wanted ? null : $"the directories in '{path}' are not as its layers say: packed they are {got ?? "none"} and should be {wanted ?? "none"}";
        }
        catch (ImageException exception) when (exception.Reason is not (ImageErrorReason.NoSpace or ImageErrorReason.NotPermitted))
        {
            return exception.Message;
        }
    }

    /// <summary>Takes it out of sight at once, and then removes it. It is made anew when it is needed.</summary>
    internal void Remove(string path)
    {
        using TemporaryPlace place = files.MakeTemporary();
        SetAside(path, place);
    }

    /// <summary>As <see cref="Remove"/>, of layers; nothing where there is none.</summary>
    internal void RemoveOf(Digest chain)
    {
        string path = PathOf(chain);
        if (Directory.Exists(path)) Remove(path);
    }

    private string PathOf(Digest chain) => Path.Join(files.Directories, LayerFiles.NameOf(chain));

    private static bool IsThere(string path, Digest chain) => LayerFiles.DiffIdOf(path) == chain.ToString();

    private static async Task<string?> PackedAsync(string path, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(Path.Join(path, LayerFiles.Tree))) return null;
        using FileDescriptor tree = StoreCalls.OpenDirectory(Path.Join(path, LayerFiles.Tree));
        PackOptions pack = new() { Compression = LayerCompression.None, IncludeTop = true };
        return (await LayerPacker.PackAsync(tree, pack, Stream.Null, cancellationToken).ConfigureAwait(false)).DiffId.ToString();
    }

    private void Make(string path, Digest chain, IReadOnlyList<string> trees, CancellationToken cancellationToken)
    {
        using TemporaryPlace place = files.MakeTemporary();
        string made = Path.Join(place.Path, "made");
        StoreCalls.MakeDirectory(made);
        Fill(made, trees, cancellationToken);
        using (NewFile about = NewFile.Create(Path.Join(made, LayerFiles.About))) about.Write(Encoding.ASCII.GetBytes(chain.ToString()));
        using (FileDescriptor directory = StoreCalls.OpenDirectory(made)) StoreCalls.Check(FileEntries.SyncFileSystem(directory), "syncfs", made, "write");
        files.MakeDirectory(StoreFiles.OwnDirectories);
        if (Directory.Exists(path)) SetAside(path, place);
        StoreCalls.Publish(made, path);
    }

    private void SetAside(string path, TemporaryPlace place)
    {
        StoreCalls.Publish(path, Path.Join(place.Path, "old"));
        StoreCalls.SyncDirectory(files.Directories);
    }

    private static void Fill(string made, IReadOnlyList<string> trees, CancellationToken cancellationToken)
    {
        using LayerStack stack = new(trees);
        try
        {
            IReadOnlyCollection<byte[]> hidden = stack.FindHidden(cancellationToken);
            if (hidden.Count == 0) return;
            string path = Path.Join(made, LayerFiles.Tree);
            StoreCalls.MakeDirectory(path);
            using FileDescriptor top = StoreCalls.OpenDirectory(path);
            using OpenDirectories directories = new(top);
            foreach (byte[] name in hidden) Find(name, (holder, step, _) => FileEntries.MakeDirectory(holder, step, 0x1C0));
            foreach (byte[] name in hidden.Reverse())
            {
                // Last those that hold others: what is made in a directory changes its time.
                using FileDescriptor says = stack.Describing(name, out _) ?? throw new ImageException(ImageErrorReason.Conflict, $"The directory '{TarPath.Shown(name)}' of a layer went while it was read");
                UnionFs.TreeWriter.CopyProperties(says, Find(name, null));
            }

            FileDescriptor Find(byte[] name, Func<FileDescriptor, byte[], int, nint>? make)
            {
                List<byte[]> steps = TarPath.Parse(name, int.MaxValue);
                Syscall.Check(directories.Find(steps, steps.Count, make, out FileDescriptor found), "mkdirat", $"\"{TarPath.Shown(name)}\"");
                return found;
            }
        }
        catch (LinuxException exception)
        {
            throw ImageException.Of(exception, "Cannot describe the directories of the layers");
        }
    }
}
