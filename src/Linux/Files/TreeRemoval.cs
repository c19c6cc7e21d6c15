namespace Isolation.Linux;

/// <summary>
/// Removes a file, or a directory with all that is in it, by descriptors: no link is followed, whoever changes the tree
/// meanwhile. Any depth takes one descriptor. A directory that its owner may not read or write is opened up first.
/// </summary>
internal static class TreeRemoval
{
    private const int MostNames = 1_000_000; // listed at once; what is more comes in the next round

    /// <inheritdoc cref="TryRemove"/>
    /// <exception cref="LinuxException">It cannot be removed.</exception>
    internal static void Remove(FileDescriptor directory, byte[] name) => Syscall.Check(TryRemove(directory, name), "unlinkat", $"\"{FileName.Text(name)}\"");

    /// <param name="directory">Where it is.</param>
    /// <param name="name">Ended by a NUL.</param>
    /// <returns>0, also where there is none, or -errno.</returns>
    internal static nint TryRemove(FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        nint result = RemoveOne(directory, name);
        if (!Syscall.Is(result, Errno.ENOTEMPTY)) return result;
        result = OpenUp(directory, name, out FileDescriptor? inside);
        if (Syscall.IsError(result)) return Syscall.Is(result, Errno.ENOENT) ? 0 : result;
        result = Empty(inside!);
        return result != 0 ? result : FileEntries.Remove(directory, name, isDirectory: true);
    }

    /// <summary>Depth first, one descriptor at a time: back by "..", which must lead to where it came from.</summary>
    private static nint Empty(FileDescriptor top)
    {
        Stack<(byte[] Name, FileStatus Parent, Queue<byte[]> Names)> above = [];
        FileDescriptor current = top;
        try
        {
            nint result = List(current, out Queue<byte[]> names);
            while (!Syscall.IsError(result))
            {
                if (names.TryDequeue(out byte[]? name))
                {
                    result = RemoveOne(current, name);
                    if (!Syscall.Is(result, Errno.ENOTEMPTY)) continue;
                    FileStatus parent = FileStatus.Of(current);
                    result = OpenUp(current, name, out FileDescriptor? below);
                    if (Syscall.IsError(result)) return result;
                    current.Dispose();
                    current = below!;
                    above.Push((name, parent, names));
                    result = List(current, out names);
                    continue;
                }

                if (!above.TryPop(out (byte[] Name, FileStatus Parent, Queue<byte[]> Names) from)) return 0;
                result = FileEntries.Open(current, "..\0"u8, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
                if (Syscall.IsError(result)) return result;
                current.Dispose();
                current = new((int)result);
                if (!FileStatus.Of(current).IsSameFile(from.Parent)) return -(int)Errno.ESTALE;
                names = from.Names;
                result = FileEntries.Remove(current, from.Name, isDirectory: true);
                if (Syscall.Is(result, Errno.ENOENT)) result = 0;
                if (!Syscall.Is(result, Errno.ENOTEMPTY)) continue;
                names.Enqueue(from.Name); // more than were listed at once, or somebody adds to it
                result = 0;
            }

            return result;
        }
        finally
        {
            current.Dispose();
        }
    }

    private static nint List(FileDescriptor directory, out Queue<byte[]> names)
    {
        nint result = DirectoryListing.TryRead(directory, MostNames, out List<byte[]> listed);
        names = new(listed);
        return Syscall.Is(result, Errno.EOVERFLOW) ? 0 : result;
    }

    /// <returns>0, or -errno: ENOTEMPTY for a directory that something is in.</returns>
    private static nint RemoveOne(FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        nint result = FileEntries.Remove(directory, name);
        if (result == 0 || Syscall.Is(result, Errno.ENOENT)) return 0;
        if (!Syscall.Is(result, Errno.EISDIR) && !Syscall.Is(result, Errno.EPERM)) return result; // EPERM: POSIX's answer for a directory (unlink(2))
        nint removed = FileEntries.Remove(directory, name, isDirectory: true);
        if (removed == 0 || Syscall.Is(removed, Errno.ENOENT)) return 0;
        if (Syscall.Is(removed, Errno.ENOTDIR)) return result;
        return Syscall.Is(removed, Errno.EEXIST) ? -(int)Errno.ENOTEMPTY : removed;
    }

    private static nint OpenUp(FileDescriptor directory, ReadOnlySpan<byte> name, out FileDescriptor? inside)
    {
        const uint OwnersAll = 0x1C0;
        inside = null;
        int flags = Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY;
        nint result = FileEntries.Open(directory, name, flags);
        if (Syscall.Is(result, Errno.EACCES))
        {
            nint found = FileEntries.Open(directory, name, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY);
            if (Syscall.IsError(found)) return found;
            using FileDescriptor place = new((int)found);
            nint changed = ChangeModeByDescriptor(place, OwnersAll);
            if (Syscall.IsError(changed)) return changed;
            result = FileEntries.Open(directory, name, flags);
        }

        if (Syscall.IsError(result)) return result;
        inside = new((int)result);
        FileStatus status = FileStatus.Of(inside);
        if ((status.Mode & OwnersAll) != OwnersAll) FileEntries.ChangeMode(inside, status.Mode | OwnersAll); // who may not is told by the next call
        return 0;
    }

    // fchmod(2) takes no O_PATH descriptor, and this file and no other is meant.
    private static nint ChangeModeByDescriptor(FileDescriptor place, uint mode)
    {
        using var held = place.Hold();
        return FileEntries.ChangeModeFollowing(place, System.Text.Encoding.UTF8.GetBytes($"/proc/self/fd/{held.Number}\0"), mode);
    }
}
