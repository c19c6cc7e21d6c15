using Isolation.Linux;

namespace Isolation;

/// <summary>Opening a file for writing, in the ways of <see cref="FileMode"/>.</summary>
internal static class FileCreation
{
    internal const UnixFileMode Default = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    internal const uint AllBits = 0xfff;

    private const ulong InRoot = Abi.RESOLVE_IN_ROOT | Abi.RESOLVE_NO_MAGICLINKS;
    private const int Attempts = 16;

    /// <exception cref="LinuxException">It cannot be opened.</exception>
    internal static FileDescriptor Open(FileCalls calls, FileDescriptor root, ContainerPath path, FileMode mode, uint permissions)
    {
        // What is there is opened, what is not is made, each by a call that does nothing else: O_CREAT alone would follow a
        // link, and wait for whoever reads a FIFO. Between the two calls it may come and go.
        nint result = 0;
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            if (mode != FileMode.CreateNew && TryExisting(calls, root, path, mode) is { } existing) return existing;
            result = Create(calls, root, path, permissions);
            if (!Syscall.IsError(result)) return new((int)result);
            if (mode == FileMode.CreateNew || !Syscall.Is(result, Errno.EEXIST)) break;
        }

        throw Syscall.Failure(result, "create", $"\"{path.Text}\"");
    }

    private static FileDescriptor? TryExisting(FileCalls calls, FileDescriptor root, ContainerPath path, FileMode mode)
    {
        byte[] name = FileName.Of(path.Text);
        nint result = calls.Open(root, name, Abi.O_PATH, 0, InRoot);
        if (Syscall.Is(result, Errno.ENOENT) && mode is not (FileMode.Open or FileMode.Truncate)) return null;
        using FileDescriptor found = ContainerFiles.Opened(result, path.Text);
        ContainerFiles.CheckRegular(found, path.Text);
        // O_NONBLOCK: a lease of the container's on the file would hold us up for 45 seconds (fcntl(2), F_SETLEASE).
        int flags = Abi.O_WRONLY | Abi.O_NONBLOCK | Abi.O_NOCTTY | (mode == FileMode.Append ? Abi.O_APPEND : 0);
        FileDescriptor file = ContainerFiles.Opened(calls.Reopen(found, root, name, flags), path.Text);
        if (mode is not (FileMode.Create or FileMode.Truncate)) return file;
        using var held = file.Hold();
        nint truncated = Syscall.InvokeRetrying(SystemCall.ftruncate, held.Number, 0);
        if (!Syscall.IsError(truncated)) return file;
        file.Dispose();
        throw Syscall.Failure(truncated, "ftruncate", $"\"{path.Text}\"");
    }

    private static nint Create(FileCalls calls, FileDescriptor root, ContainerPath path, uint permissions)
    {
        if (path.Name is null || path.EndsInSlash) return -(int)Errno.EISDIR;
        using FileDescriptor directory = ContainerFiles.Opened(
            calls.Open(root, FileName.Of(path.Directory), Abi.O_PATH | TargetAbi.Current.O_DIRECTORY, 0, InRoot), path.Directory);
        return calls.Open(directory, path.Name, Abi.O_WRONLY | Abi.O_CREAT | Abi.O_EXCL | TargetAbi.Current.O_NOFOLLOW, permissions);
    }
}
