namespace Isolation;

/// <summary>Where a launch stops until the host lets it go on.</summary>
internal enum LaunchStage
{
    None,

    /// <summary>The namespaces are there and what is to be mounted is; the root is still the host's.</summary>
    Mounted,

    /// <summary>All is done but the start of the program, which waits at the gate.</summary>
    Ready,
}
