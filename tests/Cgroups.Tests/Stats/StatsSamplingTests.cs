using CsCheck;

namespace Isolation.Cgroups.Tests.Stats;

public sealed class StatsSamplingTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_reading_comes_at_once_and_the_next_at_whole_intervals()
    {
        using GroupDirectory group = new(("pids.current", "1\n"));
        using StatsReader reader = new([group.As(CgroupController.Pids, CgroupVersion.V2)]);
        ManualTime time = new();
        await using IAsyncEnumerator<CgroupStats> samples = StatsSampling.SampleAsync(reader, Interval, time: time, cancellationToken: Token).GetAsyncEnumerator(Token);

        Assert.True(await samples.MoveNextAsync());
        ValueTask<bool> second = samples.MoveNextAsync();
        time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.False(second.IsCompleted);
        group.Write("pids.current", "2\n");
        time.Advance(TimeSpan.FromMilliseconds(1.4)); // a timer that is late does not move the others
        Assert.True(await second.AsTask().WaitAsync(TimeSpan.FromMinutes(1), Token));
        Assert.Equal(2, samples.Current.Pids.Current);

        ValueTask<bool> third = samples.MoveNextAsync();
        time.Advance(TimeSpan.FromMilliseconds(999)); // it is 1999.4 ms now
        Assert.False(third.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1.2)); // timers wait whole milliseconds
        Assert.True(await third.AsTask().WaitAsync(TimeSpan.FromMinutes(1), Token));
    }

    [Fact]
    public async Task Times_that_pass_unused_are_left_out()
    {
        using GroupDirectory group = new(("pids.current", "1\n"));
        using StatsReader reader = new([group.As(CgroupController.Pids, CgroupVersion.V2)]);
        ManualTime time = new();
        await using IAsyncEnumerator<CgroupStats> samples = StatsSampling.SampleAsync(reader, Interval, time: time, cancellationToken: Token).GetAsyncEnumerator(Token);
        await samples.MoveNextAsync();

        time.Advance(TimeSpan.FromSeconds(3.5));
        ValueTask<bool> next = samples.MoveNextAsync();
        Assert.False(next.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.5));
        Assert.True(await next.AsTask().WaitAsync(TimeSpan.FromMinutes(1), Token));
    }

    [Fact]
    public void No_tick_comes_twice_or_too_early() =>
        Gen.Select(Gen.Long[0, 1_000_000], Gen.Long[0, 100_000_000], Gen.Long[1, 10_000]).Sample((last, elapsed, interval) =>
        {
            long next = StatsSampling.NextTick(last, TimeSpan.FromTicks(elapsed), TimeSpan.FromTicks(interval));
            return next > last && (next == last + 1 || (next * interval >= elapsed && (next - 1) * interval < elapsed));
        });

    [Fact]
    public async Task It_is_cancelled_while_it_waits()
    {
        using GroupDirectory group = new(("pids.current", "1\n"));
        using StatsReader reader = new([group.As(CgroupController.Pids, CgroupVersion.V2)]);
        using CancellationTokenSource source = new();
        await using IAsyncEnumerator<CgroupStats> samples = StatsSampling.SampleAsync(reader, TimeSpan.FromDays(40), cancellationToken: source.Token).GetAsyncEnumerator(Token);
        await samples.MoveNextAsync();

        ValueTask<bool> next = samples.MoveNextAsync();
        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.AsTask().WaitAsync(TimeSpan.FromMinutes(1), Token));
    }

    [Fact]
    public void An_interval_that_no_timer_has_is_refused_at_once()
    {
        using GroupDirectory group = new();
        using StatsReader reader = new([group.As(CgroupController.Pids, CgroupVersion.V2)]);

        Assert.Throws<ArgumentOutOfRangeException>("interval", () => StatsSampling.SampleAsync(reader, TimeSpan.Zero, cancellationToken: Token));
        Assert.Throws<ArgumentOutOfRangeException>("interval", () => StatsSampling.SampleAsync(reader, TimeSpan.FromDays(50), cancellationToken: Token));
    }
}
