using System.Collections.Immutable;

namespace Isolation;

/// <summary>How a container is kept that lives without the process that started it. Immutable.</summary>
public sealed record DetachOptions
{
    /// <summary>Its id: letters, digits, <c>_</c>, <c>+</c>, <c>-</c> and <c>.</c>, unique in the host's state directory; drawn at random where it is null.</summary>
    public string? Id { get; init; }

    /// <summary>How large its log may become before it is rotated, in bytes; null for no limit. Default 10 MiB.</summary>
    public long? LogBytes { get; init; } = 10L << 20;

    /// <summary>How many rotated logs are kept besides the one that is written; the oldest goes first. Default 2.</summary>
    public int LogFiles { get; init; } = 2;

    /// <summary>Whether it is started anew when it has ended, by the process that owns it (<see cref="DetachedContainer.Own"/>). Default never.</summary>
    public RestartPolicy Restart { get; init; } = RestartPolicy.Never;

    /// <summary>How the process that owns it finds out whether it is well; null for not at all.</summary>
    public HealthCheck? Health { get; init; }

    internal void Check()
    {
        if (Id is { } id) OciRuntimeRoot.CheckId(id);
        if (LogBytes is <= 0) throw new ArgumentOutOfRangeException(nameof(LogBytes), LogBytes, "A log takes at least a byte.");
        ArgumentOutOfRangeException.ThrowIfNegative(LogFiles);
        ArgumentNullException.ThrowIfNull(Restart);
        Health?.Check();
    }
}

/// <summary>Whether a container that has ended is started anew. One that was asked to end, from any process, is not. Immutable.</summary>
public sealed record RestartPolicy
{
    private RestartPolicy(bool afterSuccess, int most) => (AfterSuccess, Most) = (afterSuccess, most);

    /// <summary>It is not.</summary>
    public static RestartPolicy Never { get; } = new(false, 0);

    /// <summary>Whatever its exit status.</summary>
    public static RestartPolicy Always { get; } = new(true, int.MaxValue);

    /// <summary>The first pause before it is started anew; each further one is twice as long, up to a minute, until it has run for ten seconds. Default 100 ms.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromMilliseconds(100);

    internal bool AfterSuccess { get; }

    internal int Most { get; }

    /// <summary>Where it has not ended with exit code 0.</summary>
    /// <param name="most">How many times; at least once.</param>
    public static RestartPolicy OnFailure(int most = int.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(most);
        return new(false, most);
    }

    internal bool Applies(ContainerResult result, int restarts) => restarts < Most && (AfterSuccess || !result.Succeeded);
}

/// <summary>A program that is run in a container from time to time: exit code 0 says that the container is well. Immutable.</summary>
/// <param name="Command">The program and its arguments.</param>
public sealed record HealthCheck(ImmutableArray<string> Command)
{
    /// <summary>From the start, and from the end of one check, to the next. Default 30 s.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>After which a check is killed, and has failed. Default 30 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many must fail one after the other until the container is not well. Default 3.</summary>
    public int Retries { get; init; } = 3;

    /// <summary>For how long after the start a failure does not count. Default none.</summary>
    public TimeSpan StartPeriod { get; init; }

    /// <summary>Whether a container that is not well is killed, so that its restart policy applies. Default false.</summary>
    public bool Kills { get; init; }

    internal void Check()
    {
        if (Command.IsDefaultOrEmpty || string.IsNullOrEmpty(Command[0])) throw new ArgumentException("A health check needs a program.", nameof(Command));
        ArgumentOutOfRangeException.ThrowIfLessThan(Interval, TimeSpan.FromMilliseconds(10), nameof(Interval));
        ArgumentOutOfRangeException.ThrowIfLessThan(Timeout, TimeSpan.FromMilliseconds(10), nameof(Timeout));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Retries, nameof(Retries));
        ArgumentOutOfRangeException.ThrowIfLessThan(StartPeriod, TimeSpan.Zero, nameof(StartPeriod));
    }
}

/// <summary>What the last checks of a container have said.</summary>
public enum HealthStatus
{
    /// <summary>Nobody checks it.</summary>
    None,

    /// <summary>No check has succeeded yet.</summary>
    Starting,

    /// <summary>The last one succeeded, or not enough have failed since.</summary>
    Healthy,

    /// <summary>As many failed as <see cref="HealthCheck.Retries"/> says.</summary>
    Unhealthy,
}
