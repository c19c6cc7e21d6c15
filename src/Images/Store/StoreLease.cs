using System.Text;
using Isolation.Linux;

namespace Isolation.Images;

/// <summary>
/// Keeps blobs and layers from being collected: a file that names them, with a lock that dies with its holder. Held for as
/// long as the object is referenced; a file whose lock is free is a dead one, and the next who opens the store or collects removes it. One for
/// another process needs no lock: it names the process, and dies with that.
/// </summary>
internal sealed class StoreLease : IDisposable
{
    /// <summary>Stands for all there is and will be.</summary>
    internal const string Everything = "*";

    private readonly FileDescriptor _file;
    private readonly string _path;
    private readonly string[] _names;

    private StoreLease(FileDescriptor file, string path, string[] names) => (_file, _path, _names) = (file, path, names);

    /// <summary>To be made under the lock of collections: one that has begun would not see it.</summary>
    /// <exception cref="ImageException">It cannot be made.</exception>
    internal static StoreLease Make(string directory, IEnumerable<string> names)
    {
        string[] all = [.. names];
        (FileDescriptor file, string path) = MakeFile(directory, all);
        return new(file, path, all);
    }

    /// <summary>One of the same names, to be made while this one is held, that lives as long as another process does, wherever this one is by then.</summary>
    /// <returns>Its disposal ends it before.</returns>
    /// <exception cref="ImageException">It cannot be made.</exception>
    internal IDisposable For(int processId)
    {
        (FileDescriptor file, string path) = MakeFile(Path.GetDirectoryName(_path)!, [LeaseHolder.Of(processId).ToString(), .. _names]);
        FileLock.ReleaseAndClose(file);
        return new OfProcess(path);
    }

    private static (FileDescriptor File, string Path) MakeFile(string directory, string[] lines)
    {
        while (true)
        {
            string path = Path.Join(directory, Guid.NewGuid().ToString("N")[..16]);
            FileDescriptor file = StoreCalls.Open(path, Abi.O_RDWR | Abi.O_CREAT | Abi.O_EXCL, 0x180);
            try
            {
                // Between the two calls a collection may have taken it for a dead one, and removed it.
                if (StoreCalls.TryLock(file, path) && FileStatus.Of(file).Links > 0)
                {
                    Descriptors.WriteAll(file, Encoding.ASCII.GetBytes(string.Join('\n', lines)));
                    return (file, path);
                }
            }
            catch (Exception exception)
            {
                FilePaths.Remove(path);
                FileLock.ReleaseAndClose(file);
                throw exception is LinuxException cause ? ImageException.Of(cause, $"Cannot write '{path}'") : exception;
            }

            file.Dispose();
        }
    }

    /// <summary>What live leases name; the files of dead ones are removed. To be called under the lock of collections.</summary>
    /// <exception cref="ImageException">One cannot be read, or removed.</exception>
    internal static HashSet<string> ReadAll(string directory)
    {
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (string path in StoreCalls.Files(directory))
        {
            using FileDescriptor? file = StoreCalls.OpenIfThere(path, Abi.O_RDWR);
            if (file is null) continue; // given up since it was listed
            if (!StoreCalls.TryLock(file, path))
            {
                names.UnionWith(Read(file, path));
                continue;
            }

            string[] named = Read(file, path);
            if (LeaseHolder.Parse(named[0])?.MayLive == true) names.UnionWith(named);
            else StoreCalls.Remove(path);
            FileLock.Release(file);
        }

        return names;
    }

    // Nobody references it any more. The lock goes with the descriptor, which has a finalizer of its own.
    ~StoreLease() => FilePaths.Remove(_path);

    /// <summary>What cannot be removed now is, by the next collection.</summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        FilePaths.Remove(_path);
        if (!_file.IsClosed) FileLock.ReleaseAndClose(_file);
    }

    // By the descriptor that there is: FileStream would ask for a lock of its own, which the holder has.
    private static string[] Read(FileDescriptor file, string path)
    {
        try
        {
            byte[] content = new byte[FileStatus.Of(file).Size];
            int count = 0;
            while (count < content.Length && Descriptors.ReadAt(file, content.AsSpan(count), count) is > 0 and int read) count += read;
            return Encoding.ASCII.GetString(content, 0, count).Split('\n');
        }
        catch (LinuxException exception)
        {
            throw ImageException.Of(exception, $"Cannot read the lease '{path}'");
        }
    }

    private sealed class OfProcess(string path) : IDisposable
    {
        public void Dispose() => FilePaths.Remove(path);
    }
}
