namespace Isolation;

/// <summary>What a container sees at <c>/proc</c>.</summary>
public enum ProcMount
{
    /// <summary>
    /// A procfs of the container's own pid namespace; with the host's pid namespace, the host's.
    /// </summary>
    Automatic,

    /// <summary>A procfs of the container's own pid namespace; needs one.</summary>
    Private,

    /// <summary>The host's <c>/proc</c>.</summary>
    Host,

    /// <summary>Nothing: what the root file system has there.</summary>
    None,
}
