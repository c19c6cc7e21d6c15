using System.Globalization;

namespace Isolation.Samples.Runtime;

/// <summary>A time as Go's time.ParseDuration reads it: <c>500ms</c>, <c>1m30s</c>.</summary>
internal static class Duration
{
    private const int LongestDays = 24; // longer than a timer can wait

    /// <summary>Null where it is none.</summary>
    internal static TimeSpan? Parse(ReadOnlySpan<char> text)
    {
        double seconds = 0;
        for (ReadOnlySpan<char> left = text; !left.IsEmpty;)
        {
            int digits = left.IndexOfAnyExceptInRange('.', '9');
            if (digits <= 0 || !double.TryParse(left[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)) return null;
            left = left[digits..];
            int letters = left.IndexOfAnyInRange('.', '9') is >= 0 and var next ? next : left.Length;
            if (Seconds(left[..letters]) is not { } unit) return null;
            seconds += number * unit;
            left = left[letters..];
        }

        return text.IsEmpty || seconds > LongestDays * 86400 ? null : TimeSpan.FromSeconds(seconds);
    }

    private static double? Seconds(ReadOnlySpan<char> unit) => unit switch { "h" => 3600, "m" => 60, "s" => 1, "ms" => 1e-3, "us" or "µs" => 1e-6, "ns" => 1e-9, _ => null };
}
