using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>A user namespace that has a container's identity maps before there is the container: layers are seen through it (mount_setattr(2), MOUNT_ATTR_IDMAP).</summary>
internal static class MappedUserNamespace
{
    /// <returns>Its descriptor, which keeps it while no process is in it.</returns>
    /// <exception cref="ContainerException">The maps are refused.</exception>
    internal static async Task<FileDescriptor> MakeAsync(IdentityMaps maps, CancellationToken cancellationToken)
    {
        FileDescriptor? made = null;
        NamespaceSet namespaces = new();
        for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++)
            if (kind != NamespaceKind.User) namespaces = namespaces.With(kind, NamespaceSource.Host);
        uint user = maps.HasRootUser ? 0 : maps.Users[0].ContainerId, group = maps.HasRootGroup ? 0 : maps.Groups[0].ContainerId;
        ContainerSpec probe = new()
        {
            User = UserSpec.Parse(FormattableString.Invariant($"{user}:{group}")),
            Namespaces = namespaces, IsProbe = true, Command = ["probe"],
            UserMappings = maps.Users, GroupMappings = maps.Groups,
            OnMapped = processId => made = FileDescriptor.Open($"/proc/{processId}/ns/user", Abi.O_RDONLY),
        };
        await probe.RunAsync(cancellationToken).ConfigureAwait(false);
        return made!;
    }
}
