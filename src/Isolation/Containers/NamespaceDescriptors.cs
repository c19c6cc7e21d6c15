using System.Globalization;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>Opens what namespaces are joined through: the pidfd of the process they are of (setns(2), Linux 5.8), or a path.</summary>
internal static class NamespaceDescriptors
{
    internal static FileDescriptor Open(JoinedNamespaces joined)
    {
        NamespaceSource source = joined.Source;
        try
        {
            if (source.Path is { } path) return FileDescriptor.Open(path, Abi.O_RDONLY);
            if (source.Container is null)
            {
                PidDescriptor? process = source.StartTime is { } start ? ProcessStartTime.Open(source.ProcessId, start) : PidDescriptor.Open(source.ProcessId);
                return Copy(process ?? throw Ended(joined));
            }

            FileDescriptor copy = Descriptors.Duplicate(source.Container.Process);
            if (source.Container.IsRunning) return copy;
            copy.Dispose();
            throw Ended(joined);
        }
        catch (LinuxException exception) when (LaunchFailures.IsLimit(exception.Errno))
        {
            throw new ContainerException(ContainerErrorReason.ResourceLimit, $"Cannot join {Names(joined)} of {source}", exception, exception.Remedy);
        }
        catch (Exception exception) when (exception is LinuxException or ObjectDisposedException)
        {
            throw new ContainerException(ContainerErrorReason.NamespaceNotFound, $"Cannot join {Names(joined)} of {source}", exception,
                exception is LinuxException { Errno: Errno.EACCES or Errno.EPERM } ? "the process must belong to the same user, or CAP_SYS_PTRACE is needed" : null);
        }
    }

    internal static string FileName(NamespaceKind kind) => kind switch
    {
        NamespaceKind.Network => "net",
        NamespaceKind.Mount => "mnt",
        _ => kind.ToString().ToLowerInvariant(),
    };

    private static ContainerException Ended(JoinedNamespaces joined) =>
        new(ContainerErrorReason.NamespaceNotFound, $"Cannot join {Names(joined)} of {joined.Source}: it has ended", null, null);

    private static string Names(JoinedNamespaces joined) => $"the {string.Join(", ", joined.Kinds).ToLowerInvariant()} namespace";

    private static FileDescriptor Copy(PidDescriptor process)
    {
        using (process) return Descriptors.Duplicate(process);
    }
}
