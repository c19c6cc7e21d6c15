using System.Globalization;
using Isolation.Linux;

namespace Isolation;

/// <summary>A container's root as a directory of the host, for looking at its files from outside.</summary>
internal static class ContainerRoot
{
    /// <summary>
    /// The root of a running container, by its first process; that it still is that process's is known by its pidfd. The
    /// directory itself where the container has ended and a directory was its root.
    /// </summary>
    /// <exception cref="ContainerStateException">The container has ended and left no root.</exception>
    /// <exception cref="LinuxException">This process may not look at the container's first one.</exception>
    internal static FileDescriptor Open(Container container)
    {
        int flags = Abi.O_PATH | TargetAbi.Current.O_DIRECTORY;
        if (container.IsRunning && TryOpenRunning(container, flags) is { } root) return root;
        if (container.Spec.Root is DirectoryRoot { Access: not RootAccess.Layered } directory) return FileDescriptor.Open(directory.Path, flags);
        throw new ContainerStateException("Its files are gone", container.State);
    }

    /// <summary>As the other; where the first process may not be looked at, whoever makes the calls opens its own root.</summary>
    /// <inheritdoc cref="Open(Container)"/>
    internal static FileDescriptor Open(Container container, ContainerFileCalls calls)
    {
        try
        {
            return Open(container);
        }
        catch (LinuxException exception) when (exception.Errno is Errno.EACCES or Errno.EPERM && calls.Root() is { } root)
        {
            return root;
        }
    }

    private static FileDescriptor? TryOpenRunning(Container container, int flags)
    {
        try
        {
            FileDescriptor root = FileDescriptor.Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{container.ProcessId}/root"), flags);
            if (container.Process.SendSignal(0) && container.IsRunning) return root;
            root.Dispose();
            return null;
        }
        catch (Exception exception) when (exception is ObjectDisposedException or LinuxException { Errno: Errno.ENOENT or Errno.ESRCH })
        {
            return null; // it has just ended
        }
    }
}
