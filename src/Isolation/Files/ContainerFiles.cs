using Isolation.Linux;
using Microsoft.Win32.SafeHandles;

namespace Isolation;

/// <summary>
/// A container's files, from outside: what its first process sees under its root, with its mounts, running or paused. Of
/// one that has ended, its root directory where that was a directory of the host. Nothing of the container is executed or
/// loaded for it, and no path or link leads out of its root. Safe from any thread.
/// </summary>
/// <remarks>
/// Paths are absolute and resolved as a process in the container would: a link to <c>/etc</c> is the container's. What is
/// made belongs to the container's root. Access is that of the container's root, or of the caller where that is more. Files
/// of the kernel's file systems (proc, sysfs, cgroup) are listed, and neither read nor written.
/// </remarks>
public sealed partial class ContainerFiles
{
    private const ulong InRoot = Abi.RESOLVE_IN_ROOT | Abi.RESOLVE_NO_MAGICLINKS;
    private readonly Container _container;

    internal ContainerFiles(Container container) => _container = container;

    internal ContainerSpec AgentSpec => field ??= FileAgent.Spec(_container);

    /// <summary>Whether there is a file of whatever kind where the path leads; links are followed, and one that leads nowhere is none.</summary>
    /// <param name="path">Absolute, in the container.</param>
    /// <exception cref="ArgumentException">The path is empty, relative, or contains a NUL.</exception>
    /// <exception cref="ContainerStateException">The container has ended, and its files with it.</exception>
    /// <exception cref="ContainerException">It cannot be told.</exception>
    public bool Exists(string path)
    {
        ContainerPath parsed = ContainerPath.Parse(path, nameof(path));
        return Do($"look for '{path}'", (calls, root) =>
        {
            nint result = calls.Open(root, FileName.Of(parsed.Text), Abi.O_PATH, 0, InRoot);
            if (Syscall.Is(result, Errno.ENOENT) || Syscall.Is(result, Errno.ENOTDIR)) return false;
            Opened(result, path).Dispose();
            return true;
        });
    }

    /// <summary>
    /// Opens a regular file for reading; the caller disposes the stream. Anything else is refused without being opened: a
    /// FIFO would wait for ever, and a device might do something.
    /// </summary>
    /// <param name="path">Absolute, in the container; links are followed.</param>
    /// <exception cref="ArgumentException">The path is empty, relative, or contains a NUL.</exception>
    /// <exception cref="ContainerStateException">The container has ended, and its files with it.</exception>
    /// <exception cref="ContainerException">It cannot be opened; <see cref="ContainerException.Errno"/> says why.</exception>
    public Stream OpenRead(string path)
    {
        ContainerPath parsed = ContainerPath.Parse(path, nameof(path));
        return Do($"read '{path}'", (calls, root) =>
        {
            byte[] name = FileName.Of(parsed.Text);
            using FileDescriptor found = Opened(calls.Open(root, name, Abi.O_PATH, 0, InRoot), path);
            CheckRegular(found, path);
            return StreamOf(Opened(calls.Reopen(found, root, name, Abi.O_RDONLY | Abi.O_NONBLOCK | Abi.O_NOCTTY), path), FileAccess.Read);
        });
    }

    /// <summary>Opens a regular file for writing, which is made if the mode says so; the caller disposes the stream.</summary>
    /// <param name="path">Absolute, in the container; links are followed, but nothing is made where a link leads that leads nowhere.</param>
    /// <param name="mode">As for <see cref="File.Open(string, FileMode)"/>.</param>
    /// <param name="permissions">Of a new file, 0644 by default, whatever the umask.</param>
    /// <exception cref="ArgumentException">The path is empty, relative, or contains a NUL.</exception>
    /// <exception cref="ContainerStateException">The container has ended, and its files with it, or they were not its to write.</exception>
    /// <exception cref="ContainerException">It cannot be opened; <see cref="ContainerException.Errno"/> says why.</exception>
    public Stream OpenWrite(string path, FileMode mode = FileMode.Create, UnixFileMode permissions = FileCreation.Default)
    {
        ContainerPath parsed = ContainerPath.Parse(path, nameof(path));
        if (!Enum.IsDefined(mode)) throw new ArgumentOutOfRangeException(nameof(mode));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)permissions, FileCreation.AllBits, nameof(permissions));
        return Do($"write '{path}'", (calls, root) =>
        {
            CheckWritable();
            return StreamOf(FileCreation.Open(calls, root, parsed, mode, (uint)permissions), FileAccess.Write);
        });
    }

    internal static void CheckRegular(FileDescriptor found, string path)
    {
        FileStatus status = FileStatus.Of(found);
        if (status.Type != FileType.Regular)
        {
            throw new LinuxException("open", $"\"{path}\", of type {status.Type}", status.Type == FileType.Directory ? Errno.EISDIR : Errno.EINVAL,
                "Only regular files are opened.");
        }

        if (Syscall.Check(KernelFileSystem.Holds(found), "fstatfs", path) != 0)
            throw new LinuxException("open", $"\"{path}\"", Errno.EPERM, "It is on a file system of the kernel's (proc, sysfs, cgroup): use a program in the container.");
    }

    internal static FileDescriptor Opened(nint result, string path) => new((int)Syscall.Check(result, "open", $"\"{path}\""));

    private static FileStream StreamOf(FileDescriptor file, FileAccess access)
    {
        SafeFileHandle handle = new(file.Number, ownsHandle: true);
        file.SetHandleAsInvalid();
        return new FileStream(handle, access);
    }

    /// <summary>One operation on the container's root; what the kernel answers becomes the exception that a caller expects.</summary>
    private T Do<T>(string what, Func<FileCalls, FileDescriptor, T> operation, CancellationToken cancellationToken = default)
    {
        try
        {
            using ContainerFileCalls calls = new(_container, cancellationToken);
            using FileDescriptor root = ContainerRoot.Open(_container, calls);
            return operation(calls, root);
        }
        catch (LinuxException exception)
        {
            throw Failed($"Cannot {what} in the container", exception);
        }
    }

    private static ContainerException Failed(string message, LinuxException cause) =>
        new(ContainerErrorReason.FileAccessFailed, message, cause, cause.Remedy);

    /// <summary>Of a container that has ended, only what it could write itself is written.</summary>
    private void CheckWritable()
    {
        if (!_container.IsRunning && _container.Spec.Root is DirectoryRoot { Access: not RootAccess.ReadWrite })
            throw new ContainerStateException("Its root directory was not its to write", _container.State);
    }
}
