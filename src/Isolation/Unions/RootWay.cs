using Isolation.UnionFs;

namespace Isolation;

/// <summary>Where the union of a container's layers is mounted.</summary>
internal enum RootPlace
{
    /// <summary>By the child itself, as steps of its plan.</summary>
    Plan,

    /// <summary>By the host, at no path: the child is given its descriptor and attaches it.</summary>
    Detached,

    /// <summary>By the host or one of its programs, in a directory of this container's own.</summary>
    Directory,
}

/// <summary>Who unites the layers of a container, where, and why it is this one.</summary>
/// <param name="Driver">Who.</param>
/// <param name="Place">Where.</param>
/// <param name="Reason">Why, in words.</param>
internal sealed record RootWay(UnionDriver Driver, RootPlace Place, string Reason)
{
    /// <summary>Whether what would have been taken first does not work here.</summary>
    internal bool IsFallback { get; init; }

    /// <summary>Whether the layers are seen through the container's identity map.</summary>
    internal bool IsMapped { get; init; }

    /// <summary>A link to the union, where it is in a directory: which one in it is only known when it is mounted.</summary>
    internal string? Path { get; init; }

    /// <summary>Flags that a mount has which the container cannot take away from it (MOUNT_ATTR_*).</summary>
    internal uint LockedAttributes { get; init; }
}
