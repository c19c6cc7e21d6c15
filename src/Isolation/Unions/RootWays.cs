using System.Collections.Immutable;
using Isolation.Launch;
using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation;

/// <summary>Chooses who unites the layers of a container. What works is asked for by doing it, and not told from the kernel's version.</summary>
internal static class RootWays
{
    private const string Remedy = "run as root, use Linux 5.11 or later, or leave WithUnionDriver out and have another driver";

    // A kernel that has mounted an overlay in a user namespace goes on doing so.
    private static volatile bool _worksInUserNamespaces;

    /// <returns>Null for a root that is not made of layers.</returns>
    /// <exception cref="ContainerException">The driver that was asked for does not work here.</exception>
    internal static RootWay? Choose(ContainerSpec spec)
    {
        if (spec.Root is not LayersRoot root || spec.EntersContainer is not null || !spec.Namespaces.IsNew(NamespaceKind.Mount)) return null;
        if (spec.IsProbe) return new(UnionDriver.Overlay, RootPlace.Plan, "probed");
        string passedOver = "";
        if (spec.UnionDriver is null or UnionDriver.Overlay)
        {
            if (Overlay(spec, root, out string refusal) is { } way) return way;
            if (spec.UnionDriver is not null) throw new ContainerException(ContainerErrorReason.MountFailed, $"The union driver Overlay does not work here: {refusal}", null, Remedy);
            passedOver = $"Overlay: {refusal}; ";
        }

        return Other(spec, passedOver);
    }

    private static RootWay? Overlay(ContainerSpec spec, LayersRoot root, out string refusal)
    {
        refusal = "";
        HostFacts host = HostFactsReader.Current;
        bool isPrivileged = host.Has(Capability.SysAdmin);
        if (spec.Namespaces.IsHost(NamespaceKind.User)) return new(UnionDriver.Overlay, RootPlace.Plan, "overlayfs");
        bool isMapped = isPrivileged && spec.Namespaces.IsNew(NamespaceKind.User) && !IdentityMaps.For(spec, WithSubordinates(spec, host)).AreOntoThemselves;
        if (isMapped && OverlayKernel.Probe().OpenResult == Errno.None)
            return new(UnionDriver.Overlay, RootPlace.Detached, "overlayfs, mounted by the host, its layers seen through the container's identity map") { IsMapped = true };
        if (_worksInUserNamespaces || Refusal(root) is not { } answer) return new(UnionDriver.Overlay, RootPlace.Plan, "overlayfs, mounted in the container's user namespace");
        refusal = $"the container cannot mount one in its user namespace ({answer})";
        if (!isPrivileged) return null;
        OverlayKernel kernel = OverlayKernel.Probe();
        if (kernel.OpenResult == Errno.None) return new(UnionDriver.Overlay, RootPlace.Detached, $"overlayfs, mounted by the host: {refusal}");
        refusal += $", nor can the host ({OverlayFailures.Unavailable(kernel.OpenResult).Message})";
        return null;
    }

    /// <summary>Asks with the layers themselves, by a child that ends where the program would start.</summary>
    private static string? Refusal(LayersRoot root)
    {
        ContainerSpec probe = new() { Root = new LayersRoot(root.Layers, RootAccess.Layered), IsProbe = true, Command = ["probe"] };
        try
        {
            // The launch goes on on threads of its own, so nobody waits for this one.
            probe.RunAsync().GetAwaiter().GetResult();
            _worksInUserNamespaces = true;
            return null;
        }
        catch (ContainerException exception) when (exception.Purpose?.StartsWith(RootSteps.LayerPurpose, StringComparison.Ordinal) == true)
        {
            return $"{exception.Step?.Split('(')[0]}: {exception.Errno}";
        }
        catch (ContainerException)
        {
            return null; // something else is in the way, and the launch itself will say what
        }
    }

    private static RootWay Other(ContainerSpec spec, string passedOver)
    {
        foreach (UnionSupport support in UnionFileSystems.Probe())
        {
            if (support.Driver == UnionDriver.Overlay || (spec.UnionDriver is { } named && named != support.Driver)) continue;
            string? refusal = support.IsAvailable ? support.Driver == UnionDriver.FuseOverlay ? FuseRefusal(spec) : null : support.Reason;
            if (refusal is null)
            {
                return new(support.Driver, support.Driver == UnionDriver.Aufs ? RootPlace.Detached : RootPlace.Directory, spec.UnionDriver is null ? $"{passedOver}{support.Driver}: {support.Reason}" : "asked for by name")
                {
                    IsFallback = spec.UnionDriver is null,
                    LockedAttributes = support.Driver == UnionDriver.FuseOverlay && !Environment.IsPrivilegedProcess ? Abi.MOUNT_ATTR_NOSUID | Abi.MOUNT_ATTR_NODEV : 0, // fusermount3(1)
                };
            }

            if (spec.UnionDriver is not null) throw new ContainerException(ContainerErrorReason.MountFailed, $"The union driver {support.Driver} does not work here: {refusal}", null, support.Remedy ?? "leave WithUnionDriver out");
            passedOver += $"{support.Driver}: {refusal}; ";
        }

        throw new InvalidOperationException($"There is no union driver {spec.UnionDriver}.");
    }

    private static string? FuseRefusal(ContainerSpec spec)
    {
        if (spec.OutlivesHost) return "its program ends with the host, and the container goes on";
        // FUSE lets nobody in but who mounted, unless /etc/fuse.conf says otherwise (fuse(8), user_allow_other).
        return !Environment.IsPrivilegedProcess && (spec.SubordinateIds || !spec.UserMappings.IsEmpty) ? "other users than the one who mounts cannot look into it" : null;
    }

    private static HostFacts WithSubordinates(ContainerSpec spec, HostFacts host)
    {
        if (!spec.SubordinateIds) return host;
        (ImmutableArray<IdMapping> users, ImmutableArray<IdMapping> groups) = SubordinateIds.Map(host);
        return host with { SubordinateUsers = users, SubordinateGroups = groups };
    }
}
