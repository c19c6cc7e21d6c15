using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>The directory that a driver keeps its writable branch in, and the names in it.</summary>
internal static class WritableDirectory
{
    /// <summary>What was written, for all drivers but the copy.</summary>
    internal const string Upper = "upper";

    /// <summary>Overlayfs's own room, on the same file system (overlayfs.rst, "workdir").</summary>
    internal const string Work = "work";

    /// <summary>Opens it, and makes its upper and work directories unless they are there.</summary>
    /// <param name="directory">Not an O_PATH descriptor.</param>
    /// <param name="likeness">The directory whose owner, mode, attributes and times the root of the union has at first: the topmost branch.</param>
    /// <param name="withWork">Whether the driver needs one.</param>
    internal static FileDescriptor Prepare(FileDescriptor directory, FileDescriptor likeness, bool withWork)
    {
        if (withWork) MakeOne(directory, Work, 0x1C0 /* 0700 */);
        bool isNew = MakeOne(directory, Upper, 0x1C0);
        FileDescriptor upper = MergedTree.OpenDirectory(directory, FileName.Of(Upper), "");
        try
        {
            if (isNew) TreeWriter.CopyProperties(likeness, upper);
            return upper;
        }
        catch
        {
            upper.Dispose();
            // Half made, it would be taken for one with changes the next time.
            FileEntries.Remove(directory, FileName.Of(Upper), isDirectory: true);
            throw;
        }
    }

    internal static FileDescriptor Open(string path)
    {
        try
        {
            return FileDescriptor.Open(path, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
        }
        catch (LinuxException exception)
        {
            throw new UnionFsException(UnionFsErrorReason.WritableUnusable, $"The writable branch \"{path}\" cannot be used: {exception.Failure}", exception, "It must be a directory that is there, and of this union alone.");
        }
    }

    /// <returns>Whether it was not there.</returns>
    internal static bool MakeOne(FileDescriptor directory, string name, uint mode)
    {
        nint result = FileEntries.MakeDirectory(directory, FileName.Of(name), mode);
        if (Syscall.Is(result, Errno.EEXIST)) return false;
        Syscall.Check(result, "mkdirat", $"\"{name}\"");
        return true;
    }
}
