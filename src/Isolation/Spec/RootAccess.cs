namespace Isolation;

/// <summary>What a container may do with the directory that is its root.</summary>
public enum RootAccess
{
    /// <summary>Read it. Where a mount point that the container needs is missing, it is added in a private layer, not in the directory.</summary>
    ReadOnly,

    /// <summary>Write it. Missing mount points are made in the directory, and stay there.</summary>
    ReadWrite,

    /// <summary>Write a private layer over it, which is thrown away with the container. The directory stays as it is.</summary>
    Layered,
}
