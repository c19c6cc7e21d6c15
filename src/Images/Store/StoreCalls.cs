using Isolation.Linux;

namespace Isolation.Images;

/// <summary>
/// The calls that change a store, each through the one door to the kernel, so that tests can stand at every one of them. What
/// fails is an <see cref="ImageException"/> that names the path, and says whether the disk is full.
/// </summary>
internal static class StoreCalls
{
    internal static FileDescriptor Open(string path, int flags, uint mode = 0)
    {
        try
        {
            return FileDescriptor.Open(path, flags, mode);
        }
        catch (LinuxException exception)
        {
            throw ImageException.Of(exception, $"Cannot open '{path}'");
        }
    }

    /// <summary>Null where there is none.</summary>
    internal static FileDescriptor? OpenIfThere(string path, int flags)
    {
        try
        {
            return FileDescriptor.Open(path, flags);
        }
        catch (LinuxException exception) when (exception.Errno == Errno.ENOENT)
        {
            return null;
        }
        catch (LinuxException exception)
        {
            throw ImageException.Of(exception, $"Cannot open '{path}'");
        }
    }

    internal static FileDescriptor OpenDirectory(string path) => Open(path, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);

    /// <summary>A small file; null where there is none.</summary>
    internal static byte[]? ReadIfThere(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, exception);
        }
    }

    internal static string[] Files(string directory, string pattern = "*") => List(directory, () => Directory.GetFiles(directory, pattern));

    internal static string[] Directories(string directory) => List(directory, () => Directory.GetDirectories(directory));

    internal static ImageException Unreadable(string path, Exception cause) =>
        new(cause is UnauthorizedAccessException ? ImageErrorReason.NotPermitted : ImageErrorReason.Failed, $"Cannot read '{path}'", cause);

    /// <summary>With this mode, whatever the umask.</summary>
    internal static void MakeDirectory(string path, uint mode = 0x1ED)
    {
        Check(FilePaths.MakeDirectory(path, mode), "mkdir", path, "make the directory");
        using FileDescriptor directory = OpenDirectory(path);
        Check(FileEntries.ChangeMode(directory, mode), "chmod", path, "make the directory");
    }

    /// <summary>A lock that dies with its holder; false where somebody else has it.</summary>
    internal static bool TryLock(FileDescriptor file, string path)
    {
        try
        {
            return FileLock.TryTake(file);
        }
        catch (LinuxException exception)
        {
            throw ImageException.Of(exception, $"Cannot lock '{path}'");
        }
    }

    internal static void Rename(string from, string to) => Check(FilePaths.Rename(from, to), "rename", to, "write");

    /// <summary>Nothing where there is none.</summary>
    internal static void Remove(string path)
    {
        nint result = FilePaths.Remove(path);
        if (!Syscall.Is(result, Errno.ENOENT)) Check(result, "unlink", path, "remove");
    }

    /// <summary>A directory, so that the names in it outlive a power loss.</summary>
    internal static void SyncDirectory(string path)
    {
        using FileDescriptor directory = OpenDirectory(path);
        Check(FileEntries.Sync(directory), "fsync", path, "write");
    }

    /// <summary>Gives what is complete and on disk its name.</summary>
    internal static void Publish(string from, string to)
    {
        Rename(from, to);
        SyncDirectory(Path.GetDirectoryName(to)!);
    }

    private static string[] List(string directory, Func<string[]> list)
    {
        try
        {
            return list();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(directory, exception);
        }
    }

    internal static void Check(nint result, string call, string path, string what)
    {
        if (Syscall.IsError(result)) throw ImageException.Of(Syscall.Failure(result, call, $"\"{path}\""), $"Cannot {what} '{path}'");
    }
}
