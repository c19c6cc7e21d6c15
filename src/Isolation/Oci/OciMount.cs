namespace Isolation;

/// <summary>One of a configuration's <c>mounts</c>: attached where it stands in their order, and nothing is added to it.</summary>
/// <param name="Type">Of the file system; "bind" for a bind.</param>
/// <param name="Source">Of a bind an absolute path of the host; else what the file system takes.</param>
/// <param name="Target">An absolute path in the container.</param>
/// <param name="Options">What was said of it, sorted out.</param>
internal sealed record OciMount(string Type, string Source, string Target, OciMountOptions Options) : MountSpec(Target)
{
    internal bool IsBind => Options.IsBind;

    /// <summary>The identity maps it is seen through; null for none, or with <see cref="OciMountOptions.Maps"/> the container's.</summary>
    internal Launch.IdentityMaps? Maps { get; init; }

    /// <summary>In place of the source, layers that the host unites with a private one in memory.</summary>
    internal LayersRoot? Union { get; init; }

    /// <summary>What of the image comes into a new tmpfs.</summary>
    internal System.Collections.Immutable.ImmutableArray<CopiedEntry> Content { get; init; } = [];
}

/// <summary>A device file of the container.</summary>
/// <param name="Path">Absolute, in the container.</param>
/// <param name="Kind">S_IFCHR, S_IFBLK or S_IFIFO.</param>
/// <param name="Major">Its major number.</param>
/// <param name="Minor">Its minor number.</param>
/// <param name="Mode">Its permissions.</param>
/// <param name="UserId">Its owner.</param>
/// <param name="GroupId">Its group.</param>
internal sealed record OciDevice(string Path, int Kind, uint Major, uint Minor, int Mode, uint UserId, uint GroupId);

/// <summary>How the file systems of a container are, where a configuration lists them all and none is there by itself.</summary>
internal sealed record OciLayout
{
    /// <summary>Those that are not by default, with those that are (config-linux.md, "Default Devices").</summary>
    internal System.Collections.Immutable.ImmutableArray<OciDevice> Devices { get; init; } = [];

    /// <summary>MS_* of the root mount (config-linux.md, "Rootfs Mount Propagation"); 0 for private.</summary>
    internal ulong Propagation { get; init; }

    internal bool PropagationIsRecursive { get; init; }

    /// <summary>pivot_root(2) is not used (<c>--no-pivot</c>): for a root in an initramfs.</summary>
    internal bool NoPivot { get; init; }
}

/// <summary>The capability sets of a program, each as it was said (capabilities(7)).</summary>
internal sealed record CapabilitySets(CapabilitySet Bounding, CapabilitySet Effective, CapabilitySet Permitted, CapabilitySet Inheritable, CapabilitySet Ambient);
