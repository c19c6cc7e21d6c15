using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation.Images;

/// <summary>
/// Layers as directories, by their diff IDs: each is unpacked once, whoever wants it. The names are short, so that many fit
/// into the options of a mount. Safe from any thread, and any process.
/// </summary>
internal sealed class LayerFiles(StoreFiles files, BlobFiles blobs, ImageStoreOptions options)
{
    internal const string Tree = "tree", About = "diff-id";
    private const string Undescribed = "undescribed";

    /// <summary>The directory of a layer; unpacked first where it is not yet.</summary>
    /// <exception cref="ImageException">The blob is damaged, or cannot be unpacked.</exception>
    internal async Task<string> UnpackAsync(ImageLayer layer, CancellationToken cancellationToken)
    {
        if (Find(layer) is { } found) return found;
        using IDisposable held = await files.LockAsync(NameOf(layer.DiffId), cancellationToken).ConfigureAwait(false);
        return Find(layer) ?? await MakeAsync(layer, null, cancellationToken).ConfigureAwait(false); // somebody may have been faster
    }

    /// <summary>Makes the directory of a layer from its blob while that comes.</summary>
    /// <param name="layer">Which.</param>
    /// <param name="blob">Read to its end, and checked.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>False where it is there already: then nothing was read.</returns>
    /// <exception cref="ImageException">The blob is not what it should be, or cannot be unpacked.</exception>
    internal async Task<bool> TryUnpackAsync(ImageLayer layer, Stream blob, CancellationToken cancellationToken)
    {
        using IDisposable held = await files.LockAsync(NameOf(layer.DiffId), cancellationToken).ConfigureAwait(false);
        if (Find(layer) is not null) return false;
        await MakeAsync(layer, blob, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Unpacks a layer that is damaged once more. What still uses it loses it: to be called where no lease names it.</summary>
    /// <inheritdoc cref="UnpackAsync"/>
    internal async Task ReplaceAsync(ImageLayer layer, CancellationToken cancellationToken)
    {
        using IDisposable held = await files.LockAsync(NameOf(layer.DiffId), cancellationToken).ConfigureAwait(false);
        await MakeAsync(layer, null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The directory of a layer; null where it is not unpacked.</summary>
    internal string? Find(ImageLayer layer)
    {
        string path = PathOf(layer);
        return DiffIdOf(path) == layer.DiffId.ToString() ? Path.Join(path, Tree) : null;
    }

    /// <summary>Takes a layer out of sight at once, and then removes it: it is whole or not there.</summary>
    internal void Remove(string path)
    {
        using TemporaryPlace place = files.MakeTemporary();
        SetAside(path, place);
    }

    /// <summary>What is wrong with an unpacked layer, found by unpacking it once more; null where nothing is, or it is not unpacked.</summary>
    /// <exception cref="ImageException">It cannot be unpacked for want of room or of rights.</exception>
    internal async Task<string?> ProblemOfAsync(ImageLayer layer, CancellationToken cancellationToken)
    {
        string path = PathOf(layer);
        if (!Directory.Exists(path)) return null;
        if (DiffIdOf(path) is not { } about || about != layer.DiffId.ToString()) return $"its directory '{path}' does not say that it is this layer";
        try
        {
            using FileDescriptor there = StoreCalls.OpenDirectory(Path.Join(path, Tree));
            using TemporaryPlace place = files.MakeTemporary();
            string anew = Path.Join(place.Path, Tree);
            StoreCalls.MakeDirectory(anew);
            using FileDescriptor made = StoreCalls.OpenDirectory(anew);
            UnpackedLayer unpacked = await UnpackToAsync(layer, made, null, cancellationToken).ConfigureAwait(false);
            if (!ReadUndescribed(Path.Join(path, Tree)).SequenceEqual(unpacked.Undescribed, NameComparer.Instance)) return $"'{Path.Join(path, Undescribed)}' does not name the directories that its blob has no entries of";
            PackOptions pack = new() { Compression = LayerCompression.None, IncludeTop = true, LatestTime = BeganAt(path) };
            Digest wanted = (await LayerPacker.PackAsync(made, pack, Stream.Null, cancellationToken).ConfigureAwait(false)).DiffId, got = (await LayerPacker.PackAsync(there, pack, Stream.Null, cancellationToken).ConfigureAwait(false)).DiffId;
            return got == wanted ? null : $"its files in '{path}' are not those of its blob: packed again they are {got} and {wanted}";
        }
        catch (ImageException exception) when (exception.Reason is not (ImageErrorReason.NoSpace or ImageErrorReason.NotPermitted))
        {
            return exception.Message;
        }
    }

    /// <summary>To be called with the lock of the layer. A directory that has its name and is not it makes room. Without a source it is made from the store's own blob.</summary>
    private async Task<string> MakeAsync(ImageLayer layer, Stream? source, CancellationToken cancellationToken)
    {
        if (MediaTypes.CompressionOf(layer.Descriptor.MediaType) is null) throw new ImageException(ImageErrorReason.NotSupported, $"The layer {layer.Descriptor.Digest} is of the type '{layer.Descriptor.MediaType}', which is none of a layer");
        using TemporaryPlace place = files.MakeTemporary();
        string path = PathOf(layer), made = Path.Join(place.Path, "made"), tree = Path.Join(made, Tree);
        StoreCalls.MakeDirectory(made);
        StoreCalls.MakeDirectory(tree);
        using (FileDescriptor directory = StoreCalls.OpenDirectory(tree))
        {
            (long, uint) began = FileStatus.Of(directory).Modified;
            UnpackedLayer unpacked = await UnpackToAsync(layer, directory, source, cancellationToken).ConfigureAwait(false);
            if (unpacked.Undescribed.Count > 0) WriteUndescribed(Path.Join(made, Undescribed), unpacked.Undescribed);
            using (NewFile about = NewFile.Create(Path.Join(made, About))) about.Write(Encoding.ASCII.GetBytes(layer.DiffId.ToString()));
            using (FileDescriptor about = StoreCalls.Open(Path.Join(made, About), Abi.O_RDONLY)) StoreCalls.Check(FileEntries.ChangeTimes(about, null, began), "utimensat", Path.Join(made, About), "write");

            // All of it at once: a call for each of thousands of files would take as long as writing them.
            StoreCalls.Check(FileEntries.SyncFileSystem(directory), "syncfs", tree, "write");
        }

        if (Directory.Exists(path)) SetAside(path, place);
        StoreCalls.Publish(made, path);
        return Path.Join(path, Tree);
    }

    private void SetAside(string path, TemporaryPlace place)
    {
        StoreCalls.Publish(path, Path.Join(place.Path, "old"));
        StoreCalls.SyncDirectory(files.Layers); // before its files go: after a power loss it would be there without them
    }

    private static void WriteUndescribed(string path, IReadOnlyList<byte[]> names)
    {
        using NewFile file = NewFile.Create(path);
        using BufferedStream buffered = new(file);
        foreach (byte[] name in names)
        {
            buffered.Write(name);
            buffered.WriteByte(0);
        }
    }

    internal static bool HasUndescribed(string tree) => File.Exists(Path.Join(Path.GetDirectoryName(tree), Undescribed));

    /// <summary>The directories of an unpacked layer that no entry of its archive was of.</summary>
    internal static IReadOnlyList<byte[]> ReadUndescribed(string tree)
    {
        if (StoreCalls.ReadIfThere(Path.Join(Path.GetDirectoryName(tree), Undescribed)) is not [.., 0] names) return [];
        List<byte[]> read = [];
        foreach (Range range in names.AsSpan(..^1).Split((byte)0)) read.Add(names[range]);
        return read;
    }

    private async Task<UnpackedLayer> UnpackToAsync(ImageLayer layer, FileDescriptor directory, Stream? source, CancellationToken cancellationToken)
    {
        LayerExpectation expected = new(layer.Descriptor.Digest, layer.Descriptor.Size, layer.Descriptor.MediaType, layer.DiffId);
        UnpackOptions unpack = new() { Bounds = options.LayerBounds };
        if (source is not null) return await LayerUnpacker.UnpackAsync(source, expected, directory, unpack, cancellationToken).ConfigureAwait(false);
        FileStream blob = blobs.Open(layer.Descriptor);
        try
        {
            await using (blob.ConfigureAwait(false)) return await LayerUnpacker.UnpackAsync(blob, expected, directory, unpack, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            throw StoreCalls.Unreadable(blob.Name, exception);
        }
    }

    /// <summary>The diff ID that a directory of a layer says it has; null where it says nothing.</summary>
    internal static string? DiffIdOf(string path) => StoreCalls.ReadIfThere(Path.Join(path, About)) is { } about ? Encoding.ASCII.GetString(about) : null;

    /// <summary>Before any file of a layer was made. Directories that no entry of its archive describes have the time at which they were made, and that is different each time.</summary>
    private static DateTimeOffset BeganAt(string path) => File.GetLastWriteTimeUtc(Path.Join(path, About));

    /// <summary>A hundred bits of the digest, and what is in the directory says all of it.</summary>
    internal static string NameOf(Digest diffId)
    {
        const string Letters = "abcdefghijklmnopqrstuvwxyz234567";
        byte[] hash = SHA256.HashData(Encoding.ASCII.GetBytes(diffId.ToString()));
        StringBuilder name = new(20);
        for (int bit = 0; bit < 100; bit += 5)
        {
            int at = bit / 8, pair = hash[at] << 8 | hash[at + 1];
            name.Append(Letters[pair >> (11 - bit % 8) & 31]);
        }

        return name.ToString();
    }

    private string PathOf(ImageLayer layer) => Path.Join(files.Layers, NameOf(layer.DiffId));
}
