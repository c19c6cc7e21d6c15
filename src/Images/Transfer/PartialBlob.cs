using Isolation.Linux;

namespace Isolation.Images;

/// <summary>As much of a blob as has come, in a file of the store that outlives whoever fetched it: the next goes on from there. To be used with the lock of the blob. For one thread.</summary>
internal sealed class PartialBlob : IDisposable
{
    private readonly StoreFiles _files;
    private readonly string _path;
    private readonly NewFile _file;
    private FileStream? _kept;

    private PartialBlob(StoreFiles files, string path, NewFile file) => (_files, _path, _file, Kept) = (files, path, file, file.Length);

    /// <summary>How many bytes were there at first. Nobody has checked them.</summary>
    internal long Kept { get; }

    /// <summary>The name of the lock that whoever fetches a blob has.</summary>
    internal static string LockOf(Digest digest) => "blob-" + LayerFiles.NameOf(digest);

    /// <exception cref="ImageException">It cannot be made.</exception>
    internal static PartialBlob Open(StoreFiles files, Descriptor blob)
    {
        files.MakeDirectory(StoreFiles.OwnPartial);
        string path = Path.Join(files.Partial, LayerFiles.NameOf(blob.Digest));
        PartialBlob partial = new(files, path, NewFile.Append(path));
        if (partial.Kept <= blob.Size) return partial;
        partial.Remove();
        partial.Dispose();
        return new(files, path, NewFile.Append(path));
    }

    /// <summary>Removes those that nobody fetches.</summary>
    internal static void RemoveIdle(StoreFiles files)
    {
        if (!Directory.Exists(files.Partial)) return;
        foreach (string path in StoreCalls.Files(files.Partial))
        {
            using IDisposable? held = files.TryLock("blob-" + Path.GetFileName(path));
            if (held is not null) StoreCalls.Remove(path);
        }
    }

    /// <summary>What was there at first.</summary>
    internal ValueTask<int> ReadKeptAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        _kept ??= new(_path, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan, Share = FileShare.ReadWrite });
        return _kept.ReadAsync(buffer, cancellationToken);
    }

    internal void Append(ReadOnlySpan<byte> bytes) => _file.Write(bytes);

    /// <summary>What is complete and was checked becomes a blob.</summary>
    internal void Publish(Digest digest)
    {
        _file.Sync();
        _files.PublishBlob(_path, digest);
    }

    internal void Remove() => StoreCalls.Remove(_path);

    public void Dispose()
    {
        _kept?.Dispose();
        _file.Dispose();
    }
}
