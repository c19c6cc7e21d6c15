namespace Isolation;

/// <summary>Why a program ended.</summary>
public enum ContainerOutcome
{
    /// <summary>Nobody can say: somebody else has reaped the process.</summary>
    Unknown,

    /// <summary>It exited; the exit code says with what.</summary>
    Exited,

    /// <summary>A signal ended it that this library did not send.</summary>
    Signalled,

    /// <summary>It was killed because its time was over (<see cref="ProgramBuilder{TSelf}.WithTimeout"/>).</summary>
    TimedOut,

    /// <summary>It was killed because the cancellation token it was started with was cancelled.</summary>
    Cancelled,

    /// <summary>The kernel killed it because it needed more memory than its limit (<see cref="ContainerBuilder.WithMemoryLimit"/>).</summary>
    OutOfMemory,

    /// <summary>It was killed by the caller: <see cref="ContainerProcess.KillAsync"/>, a stop that ran out of grace, or disposal.</summary>
    Killed,

    /// <summary>It was killed because its host was disposed (<see cref="IsolationHost.DisposeAsync"/>). Where the whole host process dies nobody is left to be told; who opens the state directory next is (<see cref="IsolationHost.Recovery"/>).</summary>
    KilledWithHost,
}
