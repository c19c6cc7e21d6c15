using System.Diagnostics;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// The directory in which containers are recorded, by its descriptor: a new name does not matter. It holds
/// <c>owners/&lt;name&gt;/&lt;container&gt;.jsonl</c>, and <c>aside/</c> for what could not be understood.
/// </summary>
/// <remarks>
/// Locks are flock(2) on the directories themselves, so that there is no moment in which a directory exists and the file
/// to lock does not. They also keep systemd-tmpfiles out, which leaves locked directories alone.
/// </remarks>
internal sealed class StateDirectory : IDisposable
{
    internal const string Owners = "owners", Aside = "aside";
    private const int DirectoryFlags = Abi.O_RDONLY;
    private const uint Private = 0x1C0; // 0700
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly FileDescriptor _directory;

    private StateDirectory((string Path, FileDescriptor Directory) location) => (Path, _directory) = location;

    internal string Path { get; }

    /// <param name="path">Null for the usual places.</param>
    internal static StateDirectory Open(string? path) => new(path is null ? StateLocation.OpenDefault() : StateLocation.Open(path));

    internal static string NameIn(string folder, string name) => $"{folder}/{name}";

    internal string PathOf(string folder, string name) => System.IO.Path.Join(Path, folder, name);

    /// <summary>
    /// One process at a time makes an owner's directory or takes over a dead one's: a directory that has just been made
    /// and is not locked yet looks like that of a dead owner.
    /// </summary>
    internal GlobalLock Lock(CancellationToken cancellationToken)
    {
        if (!TryTakeWithin(_directory, Patience, cancellationToken)) throw StateFailures.Busy(Path, Patience);
        return new(_directory);
    }

    /// <summary>Takes a lock, asking again for a while: waiting in the kernel could not be cancelled.</summary>
    internal static bool TryTakeWithin(FileDescriptor directory, TimeSpan limit, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        for (int milliseconds = 1; ; milliseconds = Math.Min(2 * milliseconds, 20))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (FileLock.TryTake(directory)) return true;
            if (Stopwatch.GetElapsedTime(start) >= limit) return false;
            cancellationToken.WaitHandle.WaitOne(milliseconds);
        }
    }

    internal List<string> OwnerNames() => NamesIn(Owners);

    /// <summary>The directory of an owner; null where it is gone, or no directory.</summary>
    internal FileDescriptor? TryOpenOwner(string name)
    {
        nint result = DirectoryFiles.TryOpen(_directory, NameIn(Owners, name), DirectoryFlags | TargetAbi.Current.O_DIRECTORY);
        if (Syscall.Is(result, Errno.ENOENT) || Syscall.Is(result, Errno.ENOTDIR) || Syscall.Is(result, Errno.ELOOP)) return null;
        return new((int)Syscall.Check(result, "openat", $"\"{PathOf(Owners, name)}\""));
    }

    internal void MakeOwner(string name) =>
        Syscall.Check(DirectoryFiles.TryMakeDirectory(_directory, NameIn(Owners, name), Private), "mkdirat", $"\"{PathOf(Owners, name)}\", 0700");

    /// <summary>Whether the name still leads to the directory that was opened by it.</summary>
    internal bool IsOwner(string name, FileDescriptor directory) => DirectoryFiles.Is(_directory, NameIn(Owners, name), directory);

    /// <summary>Removes an owner's directory if nothing is in it.</summary>
    /// <returns>0, or -errno.</returns>
    internal nint TryDeleteOwner(string name) => DirectoryFiles.TryDeleteDirectory(_directory, NameIn(Owners, name));

    /// <summary>Keeps what is not understood where nothing looks for records.</summary>
    /// <returns>Where it is now.</returns>
    internal string SetAside(FileDescriptor directory, string name, string newName)
    {
        DirectoryFiles.TryMakeDirectory(_directory, Aside, Private);
        using FileDescriptor aside = DirectoryFiles.Open(_directory, Aside, DirectoryFlags | TargetAbi.Current.O_DIRECTORY);
        Syscall.Check(DirectoryFiles.TryMove(directory, name, aside, newName), "renameat2", $"\"{name}\", \"{PathOf(Aside, newName)}\"");
        return PathOf(Aside, newName);
    }

    public void Dispose() => _directory.Dispose();

    private List<string> NamesIn(string folder)
    {
        using FileDescriptor opened = DirectoryFiles.Open(_directory, folder, DirectoryFlags | TargetAbi.Current.O_DIRECTORY);
        return DirectoryFiles.Names(opened);
    }

    internal readonly ref struct GlobalLock(FileDescriptor directory) : IDisposable
    {
        // By word and not by closing: a child that was cloned this moment has the open file too.
        public void Dispose() => FileLock.Release(directory);
    }
}
