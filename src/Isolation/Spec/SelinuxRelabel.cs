namespace Isolation;

/// <summary>What SELinux label the files of a bind get on disk, before the container starts (chcon(1)). It stays when the container is gone.</summary>
public enum SelinuxRelabel
{
    /// <summary>They keep theirs, and the policy decides whether the container may use them.</summary>
    None,

    /// <summary>One that every container may use: the mount label, without categories.</summary>
    Shared,

    /// <summary>One that this container alone may use: its mount label, with its categories.</summary>
    Private,
}
