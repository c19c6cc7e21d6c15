using System.Collections.Immutable;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>Binds that are seen through the container's identity map. Only who has CAP_SYS_ADMIN over the file system may make such a mount, so the host does.</summary>
internal static class MappedBinds
{
    /// <summary>Where the root directory is mounted, of a container with ids of its own: it is one of them.</summary>
    internal const string Root = "/";

    /// <exception cref="ContainerException">One is asked for that cannot be made here.</exception>
    internal static ImmutableArray<BindMount> Of(PlanInputs inputs)
    {
        ImmutableArray<BindMount> listed = [.. inputs.Spec.Mounts.OfType<OciMount>().Where(mount => mount.Maps is not null || mount.Options.Maps || mount.Union is not null).Select(Listed)];
        if (!listed.IsEmpty && !(inputs.Host.Has(Capability.SysAdmin) && inputs.Host.HasMountSetAttr))
            throw new ContainerException(ContainerErrorReason.MountFailed, $"The mount at '{listed[0].Target}' is to be seen through an identity map, which takes CAP_SYS_ADMIN in the host's user namespace and Linux 5.12", null, "leave its mappings, idmap and ridmap out");
        return listed.IsEmpty ? OfContainer(inputs) : listed;
    }

    private static BindMount Listed(OciMount mount) => new(mount.Source, mount.Target) { Union = mount.Union, Options = new() { MapIds = mount.Union is null, Recursive = mount.Options.IsRecursive }, Maps = mount.Maps, MapsTree = mount.Options.MapsTree };

    private static ImmutableArray<BindMount> OfContainer(PlanInputs inputs)
    {
        if (!inputs.NewUser) return [];
        bool own = inputs.Spec.OwnIds is { First: 0 }; // seen through a map that has no root, what is root's would be nobody's
        ImmutableArray<BindMount> binds = [.. own && inputs.Spec.Root is DirectoryRoot root ? [new BindMount(root.Path, Root)] : (ReadOnlySpan<BindMount>)[], .. inputs.Spec.Mounts.OfType<BindMount>().Where(bind => bind.Options.MapIds || (own && bind is VolumeMount))];
        if (binds.IsEmpty || inputs.Maps.AreOntoThemselves) return [];
        if (inputs.Host.Has(Capability.SysAdmin) && inputs.Host.HasMountSetAttr) return binds;
        if (binds.FirstOrDefault(bind => bind.Options.MapIds) is not { } asked) return [];
        throw new ContainerException(ContainerErrorReason.MountFailed, $"The mount at '{asked.Target}' is to be seen through the container's identity map, which takes CAP_SYS_ADMIN in the host's user namespace and Linux 5.12", null,
            "leave MapIds out: files keep the owners that they have on the host");
    }

    /// <param name="bind">Which.</param>
    /// <param name="path">Of its source.</param>
    /// <param name="userNamespace">Whose map.</param>
    /// <param name="isMapped">False of what is mapped without being asked for by itself, on a file system that cannot be seen through a map.</param>
    /// <exception cref="LinuxException">It cannot be made.</exception>
    /// <exception cref="ContainerException">The file system cannot be seen through a map, and that was asked for.</exception>
    internal static FileDescriptor Make(BindMount bind, string path, FileDescriptor userNamespace, out bool isMapped)
    {
        isMapped = true;
        using FileDescriptor source = bind.Options.NoSymbolicLinks ? OpenAt2Resolver.OpenWithoutLinks(path, Abi.O_PATH) : FileDescriptor.Open(path, Abi.O_PATH);
        FileDescriptor mount = MountCalls.Clone(source, bind.Options.Recursive);
        try
        {
            MountCalls.SetAttributes(mount, Abi.MOUNT_ATTR_IDMAP, userNamespace, bind.Options.Recursive && bind.MapsTree);
            return mount;
        }
        catch (LinuxException exception) when (exception.Errno == Errno.EINVAL)
        {
            if (!bind.Options.MapIds)
            {
                isMapped = false;
                return mount;
            }

            mount.Dispose();
            throw new ContainerException(ContainerErrorReason.MountFailed, $"The file system of '{path}' cannot be seen through an identity map", exception,
                "use one that can (ext4, xfs and btrfs since Linux 5.15 at the latest, tmpfs since 6.3), or leave MapIds out");
        }
        catch
        {
            mount.Dispose();
            throw;
        }
    }
}
