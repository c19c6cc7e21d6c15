using System.Collections.Concurrent;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// The records of one open host. Its lock is held for as long as it is open, so whoever gets the lock knows that the
/// owner is dead.
/// </summary>
internal sealed class OwnerDirectory : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly StateDirectory _state;
    private readonly FileDescriptor _directory;
    private readonly ConcurrentQueue<string> _undeleted = new();

    private OwnerDirectory(StateDirectory state, string name, FileDescriptor directory) => (_state, Name, _directory) = (state, name, directory);

    internal string Name { get; }

    /// <summary>Makes and locks a directory, under the lock of the state directory.</summary>
    internal static OwnerDirectory Make(StateDirectory state, CancellationToken cancellationToken)
    {
        string name = OwnerName.New().ToString();
        state.MakeOwner(name);
        FileDescriptor? directory = null;
        try
        {
            directory = state.TryOpenOwner(name) ?? throw Syscall.Failure(-(int)Errno.ENOENT, "openat", $"\"{state.PathOf(StateDirectory.Owners, name)}\"");

            // Who lists containers holds a shared lock for a moment.
            if (!StateDirectory.TryTakeWithin(directory, Patience, cancellationToken)) throw StateFailures.Busy(state.PathOf(StateDirectory.Owners, name), Patience);
            return new(state, name, directory);
        }
        catch
        {
            state.TryDeleteOwner(name);
            directory?.Dispose();
            throw;
        }
    }

    internal string PathOf(string file) => Path.Join(_state.PathOf(StateDirectory.Owners, Name), file);

    /// <summary>Makes the file of a record.</summary>
    /// <exception cref="LinuxException">It cannot be made.</exception>
    internal FileDescriptor Create(string file) => DirectoryFiles.Open(_directory, file, Abi.O_WRONLY | Abi.O_CREAT | Abi.O_EXCL | Abi.O_APPEND, 0x180 /* 0600 */);

    /// <summary>
    /// Removes the file of a record, which somebody may have removed already. One that the kernel refuses to remove is tried
    /// again with the next, and with the directory; if that fails too it is the next opener's.
    /// </summary>
    internal void Delete(string file)
    {
        _undeleted.Enqueue(file);
        for (int i = _undeleted.Count; i > 0 && _undeleted.TryDequeue(out string? next); i--)
        {
            nint result = DirectoryFiles.TryDelete(_directory, next);
            if (Syscall.IsError(result) && !Syscall.Is(result, Errno.ENOENT)) _undeleted.Enqueue(next);
        }
    }

    /// <summary>Removes the directory if there is no record in it.</summary>
    internal void DeleteIfEmpty() => _state.TryDeleteOwner(Name);

    public void Dispose()
    {
        // While it is locked: whoever waits for the lock finds that the name is gone.
        while (_undeleted.TryDequeue(out string? file)) DirectoryFiles.TryDelete(_directory, file);
        DeleteIfEmpty();
        FileLock.ReleaseAndClose(_directory);
    }
}
