using System.Globalization;
using Isolation.Linux;

namespace Isolation;

/// <summary>Opens a namespace that is to be joined.</summary>
internal static class NamespaceDescriptors
{
    internal static FileDescriptor Open(NamespaceKind kind, NamespaceSource source)
    {
        try
        {
            if (source.Path is { } path) return FileDescriptor.Open(path, Abi.O_RDONLY);
            if (source.Container is not { } container) return OfProcess(source.ProcessId, kind);

            // The container's descriptor says whether the number still means its process.
            FileDescriptor descriptor = OfProcess(container.ProcessId, kind);
            if (container.IsRunning && container.Process.SendSignal(0)) return descriptor;
            descriptor.Dispose();
            throw new ContainerException(ContainerErrorReason.NamespaceNotFound, $"Cannot join the {kind} namespace of container {container.Id}: it has ended", null, null);
        }
        catch (Exception exception) when (exception is LinuxException or ObjectDisposedException)
        {
            throw new ContainerException(ContainerErrorReason.NamespaceNotFound, $"Cannot join the {kind} namespace of {source}", exception,
                exception is LinuxException { Errno: Errno.EACCES or Errno.EPERM } ? "the process must belong to the same user, or CAP_SYS_PTRACE is needed" : null);
        }
    }

    private static FileDescriptor OfProcess(int processId, NamespaceKind kind) =>
        FileDescriptor.Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/ns/{FileName(kind)}"), Abi.O_RDONLY);

    internal static string FileName(NamespaceKind kind) => kind switch
    {
        NamespaceKind.Network => "net",
        NamespaceKind.Mount => "mnt",
        _ => kind.ToString().ToLowerInvariant(),
    };
}
