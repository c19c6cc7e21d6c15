using System.Text;
using Isolation.Linux;

namespace Isolation.Images;

/// <summary>
/// A directory for what is not complete, with a lock beside it that dies with its holder: whoever finds the lock free removes
/// both. For one thread.
/// </summary>
internal sealed class TemporaryPlace : IDisposable
{
    private const string LockSuffix = ".lock";
    private readonly FileDescriptor _lock;
    private readonly string _name;
    private readonly string _parent;

    private TemporaryPlace(string parent, string name, FileDescriptor held) => (_parent, _name, _lock) = (parent, name, held);

    internal string Path => System.IO.Path.Join(_parent, _name);

    /// <exception cref="ImageException">It cannot be made.</exception>
    internal static TemporaryPlace Make(string parent)
    {
        while (true)
        {
            string name = Guid.NewGuid().ToString("N")[..16], path = System.IO.Path.Join(parent, name);
            FileDescriptor held = StoreCalls.Open(path + LockSuffix, Abi.O_RDWR | Abi.O_CREAT | Abi.O_EXCL, 0x180);
            TemporaryPlace place = new(parent, name, held);
            try
            {
                // Between the two calls somebody may have taken it for a dead process's, and removed it.
                if (StoreCalls.TryLock(held, path + LockSuffix) && FileStatus.Of(held).Links > 0)
                {
                    StoreCalls.MakeDirectory(path, 0x1C0);
                    return place;
                }
            }
            catch
            {
                place.Dispose();
                throw;
            }

            held.Dispose();
        }
    }

    /// <summary>Removes what dead processes left, and what a power loss has left without its lock: that is made before, and removed after it.</summary>
    /// <exception cref="ImageException">Something cannot be removed.</exception>
    internal static void RemoveDead(string parent)
    {
        string[] directories = StoreCalls.Directories(parent); // before the locks: each of them has one
        HashSet<string> locks = [.. StoreCalls.Files(parent, "*" + LockSuffix)];
        foreach (string file in locks)
        {
            using FileDescriptor? held = StoreCalls.OpenIfThere(file, Abi.O_RDWR);
            if (held is null || !StoreCalls.TryLock(held, file)) continue; // its holder was faster, or lives
            string path = file[..^LockSuffix.Length];
            StoreCalls.Check(Remove(parent, System.IO.Path.GetFileName(path)), "unlink", path, "remove");
        }

        foreach (string path in directories)
            if (!File.Exists(path + LockSuffix)) StoreCalls.Check(Remove(parent, System.IO.Path.GetFileName(path)), "unlink", path, "remove");
    }

    /// <summary>What cannot be removed now is, by whoever opens the store next.</summary>
    public void Dispose()
    {
        if (_lock.IsClosed) return;
        try
        {
            Remove(_parent, _name);
        }
        catch (ImageException)
        {
            // The directory cannot be opened any more.
        }
        finally
        {
            FileLock.ReleaseAndClose(_lock);
        }
    }

    /// <summary>The lock last: without it nobody would find the rest.</summary>
    private static nint Remove(string parent, string name)
    {
        using FileDescriptor directory = StoreCalls.OpenDirectory(parent);
        nint result = TreeRemoval.TryRemove(directory, Encoding.UTF8.GetBytes(name + "\0"));
        if (Syscall.IsError(result)) return result;
        result = FileEntries.Remove(directory, Encoding.UTF8.GetBytes(name + LockSuffix + "\0"));
        return Syscall.Is(result, Errno.ENOENT) ? 0 : result;
    }
}
