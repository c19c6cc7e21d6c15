using System.Diagnostics;

namespace Isolation;

/// <summary>When the phases of a launch ended, as readings of <see cref="Stopwatch.GetTimestamp"/>; 0 for one it did not get to.</summary>
internal struct LaunchTimeline()
{
    internal long Begun { get; } = Stopwatch.GetTimestamp();

    /// <summary>Planned, assembled, and its descriptors made; it waits for the launcher thread.</summary>
    internal long Prepared { get; set; }

    /// <summary>The launcher thread has taken it.</summary>
    internal long Taken { get; set; }

    /// <summary>The child exists and goes through the plan.</summary>
    internal long Born { get; set; }

    /// <summary>The program runs.</summary>
    internal long Started { get; set; }

    internal long Ended { get; set; }

    internal readonly TimeSpan Launch => Stopwatch.GetElapsedTime(Begun, Started);

    internal readonly TimeSpan Run => Stopwatch.GetElapsedTime(Started, Ended);

    /// <summary>The phases that were gone through: the moment that ends each, since the beginning, and how long it took.</summary>
    internal readonly IEnumerable<(string Name, TimeSpan At, TimeSpan Took)> Phases()
    {
        (string, long)[] moments = [("prepared", Prepared), ("taken", Taken), ("born", Born), ("started", Started)];
        return Between(Begun, moments);
    }

    private static IEnumerable<(string Name, TimeSpan At, TimeSpan Took)> Between(long begun, (string Name, long Moment)[] moments)
    {
        long last = begun;
        foreach ((string name, long moment) in moments)
        {
            if (moment == 0) continue;
            yield return (name, Stopwatch.GetElapsedTime(begun, moment), Stopwatch.GetElapsedTime(last, moment));
            last = moment;
        }
    }
}
