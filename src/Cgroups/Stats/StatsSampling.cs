using System.Runtime.CompilerServices;

namespace Isolation.Cgroups;

/// <summary>Readings at fixed times.</summary>
internal static class StatsSampling
{
    /// <summary>
    /// A reading at once, and one at each whole interval from then on. Times are counted from the beginning, so that nothing
    /// adds up; one that passes while the last reading is still being used is left out, not made up for.
    /// </summary>
    /// <param name="reader">Used by this sequence at its times, and by whoever else; not disposed.</param>
    /// <param name="interval">At least a millisecond.</param>
    /// <param name="details">For every reading.</param>
    /// <param name="time">The clock; the system's if none is given.</param>
    /// <param name="cancellationToken">Ends the wait for the next one.</param>
    /// <returns>It ends when the group is removed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The interval is shorter than a millisecond, or longer than a timer can wait (some 49 days).</exception>
    /// <exception cref="CgroupException">A reading failed, for another reason than that the group is gone.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    internal static IAsyncEnumerable<CgroupStats> SampleAsync(
        StatsReader reader, TimeSpan interval, CgroupStatsDetails details = CgroupStatsDetails.None, TimeProvider? time = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reader);
        ArgumentOutOfRangeException.ThrowIfLessThan(interval, TimeSpan.FromMilliseconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(interval, TimeSpan.FromMilliseconds(uint.MaxValue - 1));
        return RunAsync(reader, interval, details, time ?? TimeProvider.System, cancellationToken);
    }

    private static async IAsyncEnumerable<CgroupStats> RunAsync(
        StatsReader reader, TimeSpan interval, CgroupStatsDetails details, TimeProvider time, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        for (long tick = 0; ; tick = NextTick(tick, time.GetElapsedTime(start), interval))
        {
            await WaitAsync(interval * tick, start, time, cancellationToken).ConfigureAwait(false);
            CgroupStats stats;
            try
            {
                stats = reader.Read(details);
            }
            catch (Exception gone) when (gone is ObjectDisposedException or CgroupException { Reason: CgroupErrorReason.Gone })
            {
                yield break;
            }

            yield return stats;
        }
    }

    /// <summary>The first tick that is after the last one and has not passed.</summary>
    internal static long NextTick(long last, TimeSpan elapsed, TimeSpan interval) => Math.Max(last + 1, (elapsed.Ticks + interval.Ticks - 1) / interval.Ticks);

    private static async Task WaitAsync(TimeSpan due, long start, TimeProvider time, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        while (due - time.GetElapsedTime(start) is { Ticks: > 0 } left)
        {
            // Timers count whole milliseconds, and round down: without this the last one would be spent spinning.
            TimeSpan rounded = TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds));
            await Task.Delay(rounded, time, cancellationToken).ConfigureAwait(false);
        }
    }
}
