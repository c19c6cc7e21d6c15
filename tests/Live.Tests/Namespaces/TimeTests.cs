using System.Globalization;

namespace Isolation.Live.Tests;

public sealed class TimeTests
{
    [Theory]
    [InlineData(86_400)]
    [InlineData(3.25)]
    public async Task A_clock_is_ahead_by_its_offset(double seconds)
    {
        (double before, double inside, double after) = await UptimesAsync(TimeSpan.FromSeconds(seconds));

        Assert.InRange(inside, before + seconds - 0.02, after + seconds + 0.02);
    }

    [Fact]
    public async Task A_clock_can_be_behind()
    {
        double seconds = Math.Round(-Uptime() / 2, 3);

        (double before, double inside, double after) = await UptimesAsync(TimeSpan.FromSeconds(seconds));

        Assert.InRange(inside, before + seconds - 0.02, after + seconds + 0.02);
    }

    [Fact]
    public async Task Each_clock_has_its_own_offset()
    {
        string[] lines = await Sandbox.Host("cat", "/proc/self/timens_offsets")
            .WithTimeOffsets(boot: TimeSpan.FromMilliseconds(-1500), monotonic: TimeSpan.FromTicks(30_000_001)).LinesAsync();

        Assert.Equal(["monotonic 3 100", "boottime -2 500000000"], lines.Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))));
    }

    [Fact]
    public async Task A_clock_before_zero_is_refused_by_name()
    {
        ContainerException refusal = await Sandbox.Host("true").WithTimeOffsets(TimeSpan.FromDays(-36_500), TimeSpan.Zero).RefusalAsync();

        Assert.Contains("boottime", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(Isolation.Linux.Errno.ERANGE, refusal.Errno);
    }

    private static async Task<(double Before, double Inside, double After)> UptimesAsync(TimeSpan offset)
    {
        double before = Uptime();
        string inside = await Sandbox.Host("cat", "/proc/uptime").WithTimeOffsets(offset, TimeSpan.Zero).OutputAsync();
        return (before, First(inside), Uptime());
    }

    private static double Uptime() => First(File.ReadAllText("/proc/uptime"));

    private static double First(string text) => double.Parse(text.Split(' ')[0], CultureInfo.InvariantCulture);
}
