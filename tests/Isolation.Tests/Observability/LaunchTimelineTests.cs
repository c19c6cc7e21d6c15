using System.Diagnostics;

namespace Isolation.Tests;

/// <summary>The phases of a launch, as far as it came.</summary>
public sealed class LaunchTimelineTests
{
    [Fact]
    public void Each_phase_ends_where_the_next_begins()
    {
        LaunchTimeline timeline = new();
        long second = Stopwatch.Frequency;
        (timeline.Prepared, timeline.Taken, timeline.Born, timeline.Started) =
            (timeline.Begun + second, timeline.Begun + 3 * second, timeline.Begun + 6 * second, timeline.Begun + 10 * second);

        Assert.Equal([("prepared", 1, 1), ("taken", 3, 2), ("born", 6, 3), ("started", 10, 4)], Seconds(timeline));
        Assert.Equal(TimeSpan.FromSeconds(10), timeline.Launch);
    }

    [Fact]
    public void What_it_did_not_get_to_is_left_out()
    {
        LaunchTimeline timeline = new();
        timeline.Prepared = timeline.Begun + 2 * Stopwatch.Frequency;

        Assert.Equal([("prepared", 2, 2)], Seconds(timeline));
        Assert.Empty(Seconds(new LaunchTimeline()));
    }

    private static IEnumerable<(string, int, int)> Seconds(LaunchTimeline timeline) =>
        timeline.Phases().Select(phase => (phase.Name, (int)phase.At.TotalSeconds, (int)phase.Took.TotalSeconds));
}
