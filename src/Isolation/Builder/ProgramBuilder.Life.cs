namespace Isolation;

public abstract partial class ProgramBuilder<TSelf>
{
    /// <summary>The program is killed when it has run that long; the result's outcome is <see cref="ContainerOutcome.TimedOut"/>.</summary>
    /// <param name="limit">More than zero. Wall time from when the program starts.</param>
    public TSelf WithTimeout(TimeSpan limit)
    {
        if (limit <= TimeSpan.Zero || limit.TotalMilliseconds > uint.MaxValue - 1)
            throw new ArgumentOutOfRangeException(nameof(limit), limit, "A timeout is more than zero and less than 49 days.");
        return Set(Draft with { Timeout = limit });
    }

    /// <summary>What <see cref="ContainerProcess.StopAsync"/> sends first; SIGTERM (15) by default.</summary>
    /// <param name="signal">1 to 64.</param>
    public TSelf WithStopSignal(int signal)
    {
        if (signal is < 1 or > 64) throw new ArgumentOutOfRangeException(nameof(signal), signal, "Signals are numbered 1 to 64 (signal(7)).");
        return Set(Draft with { StopSignal = signal, Given = Draft.Given | GivenSettings.StopSignal });
    }
}
