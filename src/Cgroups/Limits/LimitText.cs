using System.Globalization;

namespace Isolation.Cgroups;

/// <summary>How the kernel wants its numbers.</summary>
internal static class LimitText
{
    // In microseconds, as the kernel has them (kernel/sched/core.c: min_cfs_quota_period, max_cfs_quota_period).
    internal const long DefaultPeriod = 100_000, LeastQuota = 1_000, LongestPeriod = 1_000_000;

    internal static string Of(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>As v2 says it.</summary>
    internal static string OrMax(long value) => value == ResourceLimits.Unlimited ? "max" : Of(value);

    /// <summary>As v1 says it, in bytes and in microseconds of a period.</summary>
    internal static string OrMinusOne(long value) => value == ResourceLimits.Unlimited ? "-1" : Of(value);

    /// <summary>As the throttle files of v1 say it: zero is no limit.</summary>
    internal static string OrZero(long value) => value == ResourceLimits.Unlimited ? "0" : Of(value);

    internal static string Bytes(long value) => value == ResourceLimits.Unlimited ? "no limit" : value % (1 << 20) == 0 && value > 0 ? $"{Of(value >> 20)} MiB" : $"{Of(value)} bytes";

    internal static long Microseconds(TimeSpan time) => time.Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>The period to write with <see cref="ResourceLimits.Cpus"/>: what was said, or what is in force, or as much longer as a small share takes.</summary>
    internal static long Period(ResourceLimits limits, LimitsNow now)
    {
        if (limits.CpuPeriod is { } said) return Microseconds(said);
        long period = now.CpuPeriod ?? DefaultPeriod;
        return limits.Cpus is { } cpus && Math.Round(cpus * period) < LeastQuota ? Math.Clamp((long)Math.Ceiling(LeastQuota / cpus), period, LongestPeriod) : period;
    }

    /// <summary>A purpose in words.</summary>
    internal static string Processors(double cpus) => cpus == ResourceLimits.Unlimited ? "allow any processor time" : $"limit processors to {Percent(cpus)}";

    /// <summary>In microseconds a period.</summary>
    internal static long Quota(double cpus, long period) => cpus == ResourceLimits.Unlimited ? ResourceLimits.Unlimited : (long)Math.Round(cpus * period);

    /// <summary>Of a huge page, as the names of the files have it: 2MB, 1GB, 64KB.</summary>
    internal static string PageSize(long bytes) => bytes switch
    {
        >= 1L << 30 => $"{Of(bytes >> 30)}GB",
        >= 1 << 20 => $"{Of(bytes >> 20)}MB",
        _ => $"{Of(bytes >> 10)}KB",
    };

    internal static string Percent(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
