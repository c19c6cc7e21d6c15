using Isolation.Linux;

namespace Isolation.Images;

/// <summary>
/// The directory of a store: an OCI image layout (image-layout.md), and beside it in <c>isolation/</c> what is this library's
/// own. Whatever is written is complete and on disk before it has its name. Safe from any thread, and any process.
/// </summary>
internal sealed class StoreFiles(string path)
{
    internal const string IndexName = "index.json", LayoutName = "oci-layout", Own = "isolation", OwnDirectories = $"{Own}/directories", OwnPartial = $"{Own}/partial";

    internal string Path => path;

    internal string Layers => At($"{Own}/layers");

    internal string Directories => At(OwnDirectories);

    /// <summary>What is fetched from registries; none before the first.</summary>
    internal string Partial => At(OwnPartial);

    internal string Temporary => At($"{Own}/temporary");

    internal string Leases => At($"{Own}/leases");

    internal string Locks => At($"{Own}/locks");

    internal string At(string name) => System.IO.Path.Join(path, name);

    internal string BlobPath(Digest digest) => At($"blobs/{digest.Algorithm}/{digest.Encoded}");

    /// <summary>The directories of unpacked layers; none where the store is a layout of another tool's that cannot be written.</summary>
    internal string[] LayerPaths() => Directory.Exists(Layers) ? StoreCalls.Directories(Layers) : [];

    /// <summary>What lies over the layers of an image; none where none needs it.</summary>
    internal string[] DirectoryPaths() => Directory.Exists(Directories) ? StoreCalls.Directories(Directories) : [];

    internal IEnumerable<string> BlobPaths() => StoreCalls.Directories(At("blobs")).SelectMany(directory => StoreCalls.Files(directory));

    /// <summary>Waits for the lock of a name, which dies with its holder.</summary>
    /// <exception cref="ImageException">It cannot be made.</exception>
    internal async Task<IDisposable> LockAsync(string name, CancellationToken cancellationToken)
    {
        for (int delay = 1; ; delay = Math.Min(delay * 2, 50))
        {
            if (TryLock(name) is { } held) return held;
            await Task.Delay(delay, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>As the other, and null where somebody has it.</summary>
    internal IDisposable? TryLock(string name)
    {
        string file = System.IO.Path.Join(Locks, name);
        FileDescriptor held = StoreCalls.Open(file, Abi.O_RDWR | Abi.O_CREAT, 0x180);
        try
        {
            // Whoever removed a layer has removed its lock with it: another file is the lock by now.
            if (StoreCalls.TryLock(held, file) && FileStatus.Of(held).Links > 0) return new Held(held);
            held.Dispose();
            return null;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Removes the locks of layers that are not there, and that nobody has.</summary>
    internal void RemoveIdleLocks(IReadOnlySet<string> kept)
    {
        foreach (string file in StoreCalls.Files(Locks))
        {
            string name = System.IO.Path.GetFileName(file);
            if (kept.Contains(name) || Directory.Exists(System.IO.Path.Join(Layers, name)) || Directory.Exists(System.IO.Path.Join(Directories, name))) continue;
            using IDisposable? held = TryLock(name);
            if (held is not null) StoreCalls.Remove(file);
        }
    }

    /// <summary>A place for what is not complete yet, on the file system of the store. What a dead process left there is removed by the next one.</summary>
    internal TemporaryPlace MakeTemporary() => TemporaryPlace.Make(Temporary);

    /// <summary>Writes a file anew under its name: readers see the one before or this one.</summary>
    /// <exception cref="ImageException">It cannot be written.</exception>
    internal void Replace(string name, ReadOnlySpan<byte> content)
    {
        using TemporaryPlace place = MakeTemporary();
        string made = System.IO.Path.Join(place.Path, "file");
        using (NewFile file = NewFile.Create(made))
        {
            file.Write(content);
            file.Sync();
        }

        StoreCalls.Publish(made, At(name));
    }

    /// <summary>Gives a blob that is complete and on disk its name; it takes the place of one that is there.</summary>
    internal void PublishBlob(string from, Digest digest)
    {
        string blobs = At($"blobs/{digest.Algorithm}");
        if (!Directory.Exists(blobs)) MakeDirectory($"blobs/{digest.Algorithm}");
        StoreCalls.Publish(from, BlobPath(digest));
    }

    /// <summary>That all blobs that have a name by now keep it: whoever leads to one may have found it, given its name by somebody else a moment ago.</summary>
    internal void SyncBlobs()
    {
        foreach (string directory in StoreCalls.Directories(At("blobs"))) StoreCalls.SyncDirectory(directory);
    }

    /// <summary>A directory of the store, on disk when it is there.</summary>
    internal void MakeDirectory(string name, uint mode = 0x1ED)
    {
        string directory = At(name);
        if (Directory.Exists(directory)) return;
        try
        {
            StoreCalls.MakeDirectory(directory, mode);
        }
        catch (ImageException exception) when (exception.Errno == Errno.EEXIST)
        {
            // Somebody makes it at the same time, or it is a file: then the next who opens it says so.
        }

        StoreCalls.SyncDirectory(System.IO.Path.GetDirectoryName(directory)!);
    }

    private sealed class Held(FileDescriptor file) : IDisposable
    {
        public void Dispose() => FileLock.ReleaseAndClose(file);
    }
}
