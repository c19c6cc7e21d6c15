namespace Isolation;

/// <summary>Whether mounts made later beneath a mount are seen on the other side (mount_namespaces(7), "Shared subtrees").</summary>
public enum MountPropagation
{
    /// <summary>Neither side sees the other's.</summary>
    Private,

    /// <summary>The container sees the host's, where the host's mount is shared; the host never sees the container's.</summary>
    Slave,

    /// <summary>Both see each other's, where the host's mount is shared. Not in a new user namespace.</summary>
    Shared,

    /// <summary>Private, and cannot be bind-mounted again.</summary>
    Unbindable,
}
