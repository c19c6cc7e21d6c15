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

    /// <summary>It was killed by the caller: <see cref="ContainerProcess.KillAsync"/>, a stop that ran out of grace, or disposal.</summary>
    Killed,
}
