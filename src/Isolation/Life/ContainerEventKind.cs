namespace Isolation;

/// <summary>What happened to a container, or to a further program in one.</summary>
public enum ContainerEventKind
{
    /// <summary>The container's program runs.</summary>
    Started,

    /// <summary>The stop signal is sent (<see cref="ContainerProcess.StopAsync"/>); <see cref="ContainerEvent.Signal"/> says which.</summary>
    Stopping,

    /// <summary>The time that the program had is over, and it is killed.</summary>
    TimedOut,

    /// <summary>Every process of the container is stopped.</summary>
    Paused,

    /// <summary>The processes of the container go on.</summary>
    Resumed,

    /// <summary>A further program in the container runs; <see cref="ContainerEvent.ProcessId"/> is its.</summary>
    ExecStarted,

    /// <summary>A further program has ended; <see cref="ContainerEvent.ProcessId"/> is its.</summary>
    ExecExited,

    /// <summary>The container's program has ended, and so has every process of its pid namespace: the last event of a container.</summary>
    Exited,
}
