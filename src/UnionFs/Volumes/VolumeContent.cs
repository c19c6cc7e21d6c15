using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>What is in a volume the first time that it is used: what the image has at the place where it is mounted.</summary>
public static class VolumeContent
{
    /// <summary>
    /// Copies a directory of a union into a volume, if nothing is in that yet: with owners, modes, times, attributes and links,
    /// and those of the directory itself. The volume is filled at once or not at all, whenever the process ends; of several who
    /// fill it at the same time, one does.
    /// </summary>
    /// <param name="volume">A directory that is no mount point; its parent is written too.</param>
    /// <param name="union">Where from.</param>
    /// <param name="path">In the union. No link leads out of it.</param>
    /// <param name="cancellationToken">Ends the copying; the volume is then as it was.</param>
    /// <returns>Whether it was filled: not where something was in it, nor where the union has no directory at the path.</returns>
    /// <exception cref="UnionFsException">It cannot be copied.</exception>
    public static Task<bool> FillAsync(string volume, UnionMount union, string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(volume);
        ArgumentNullException.ThrowIfNull(union);
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Task.Run(() => Fill(Full(volume), union, path, cancellationToken), cancellationToken);
    }

    /// <summary>The same from layers that nobody has mounted.</summary>
    /// <param name="volume">As above.</param>
    /// <param name="layers">Directories, from the lowest to the topmost.</param>
    /// <param name="path">In their union.</param>
    /// <param name="owners">What an owner and a group of theirs become; they stay where it is null.</param>
    /// <param name="cancellationToken">Ends the copying.</param>
    internal static bool Fill(string volume, IReadOnlyList<string> layers, string path, (Func<uint, uint> User, Func<uint, uint> Group)? owners, CancellationToken cancellationToken)
    {
        try
        {
            using MergedLookup tree = new(layers);
            using MergedDirectory? source = tree.FindDirectory(path);
            return source is not null && Fill(Full(volume), target => new MergedCopy(mayLink: false, owners, cancellationToken).Run(source, target));
        }
        catch (LinuxException exception)
        {
            throw UnionFailure.Of($"Cannot fill the volume \"{volume}\" with \"{path}\" of the layers", exception, UnionFsErrorReason.Failed);
        }
    }

    private static bool Fill(string volume, UnionMount union, string path, CancellationToken cancellationToken)
    {
        try
        {
            nint found = ContainedPath.TryOpen(union.Root, path, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
            if (Syscall.Is(found, Errno.ENOENT) || Syscall.Is(found, Errno.ENOTDIR)) return false;
            using FileDescriptor source = new((int)Syscall.Check(found, "openat2", $"\"{path}\""));
            return Fill(volume, target => new MergedCopy(mayLink: false, owners: null, cancellationToken).Run(new MergedTree([new(source, WhiteoutForm.Overlay)]), target));
        }
        catch (LinuxException exception)
        {
            throw UnionFailure.Of($"Cannot fill the volume \"{volume}\" with \"{path}\" of the union", exception, UnionFsErrorReason.Failed);
        }
    }

    private static bool Fill(string volume, Action<FileDescriptor> copyTo)
    {
        using FileDescriptor parent = FileDescriptor.Open(Path.GetDirectoryName(volume)!, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
        byte[] name = FileName.Of(Path.GetFileName(volume));
        // Who comes second finds it full: rename(2) onto a directory that is not empty fails.
        if (!IsEmpty(parent, name)) return false;
        byte[] filling = FileName.Of($".isolation-{RandomName.Hex(12)}");
        Syscall.Check(FileEntries.MakeDirectory(parent, filling, 0x1C0), "mkdirat", $"\"{volume}\"");
        try
        {
            using (FileDescriptor target = MergedTree.OpenDirectory(parent, filling, ""))
                copyTo(target);
            nint renamed = FileEntries.Rename(parent, filling, parent, name);
            if (!Syscall.Is(renamed, Errno.ENOTEMPTY) && !Syscall.Is(renamed, Errno.EEXIST))
            {
                Syscall.Check(renamed, "renameat2", $"\"{volume}\"");
                return true;
            }
        }
        catch
        {
            TreeRemoval.Remove(parent, filling);
            throw;
        }

        TreeRemoval.Remove(parent, filling);
        return false;
    }

    private static string Full(string volume) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(volume));

    private static bool IsEmpty(FileDescriptor parent, byte[] name)
    {
        using FileDescriptor volume = MergedTree.OpenDirectory(parent, name, "");
        nint result = DirectoryListing.TryRead(volume, 0, out _);

        // It was removed between the two calls (getdents(2)), by the renaming of one that is full to its name.
        if (Syscall.Is(result, Errno.ENOENT))
        {
            using FileDescriptor filled = MergedTree.OpenDirectory(parent, name, "");
            result = DirectoryListing.TryRead(filled, 0, out _);
        }

        if (!Syscall.Is(result, Errno.EOVERFLOW)) Syscall.Check(result, "getdents64", $"\"{FileName.Text(name)}\"");
        return result == 0;
    }
}
