namespace Isolation;

/// <summary>Where a container, or a program in one, is in its life.</summary>
public enum ContainerState
{
    /// <summary>It is being started.</summary>
    Starting,

    /// <summary>Its program runs.</summary>
    Running,

    /// <summary>Its processes are stopped and keep their memory.</summary>
    Paused,

    /// <summary>It has ended.</summary>
    Ended,
}
