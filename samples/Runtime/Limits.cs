using System.Globalization;
using System.Text.Json;

namespace Isolation.Samples.Runtime;

/// <summary>The limits that <c>update</c> takes one by one, as the object <c>linux.resources</c>.</summary>
internal static class Limits
{
    private static readonly (string Option, string Group, string Field)[] Fields =
    [
        ("memory", "memory", "limit"), ("memory-reservation", "memory", "reservation"), ("memory-swap", "memory", "swap"),
        ("cpu-period", "cpu", "period"), ("cpu-quota", "cpu", "quota"), ("cpu-burst", "cpu", "burst"), ("cpu-share", "cpu", "shares"), ("cpu-shares", "cpu", "shares"), ("cpu-idle", "cpu", "idle"),
        ("cpu-rt-period", "cpu", "realtimePeriod"), ("cpu-rt-runtime", "cpu", "realtimeRuntime"), ("cpuset-cpus", "cpu", "cpus"), ("cpuset-mems", "cpu", "mems"),
        ("blkio-weight", "blockIO", "weight"), ("pids-limit", "pids", "limit"),
    ];

    /// <summary>Limits that no kernel has any more, which runc takes and tells of.</summary>
    internal static string[] Gone { get; } = ["kernel-memory", "kernel-memory-tcp"];

    internal static string[] Options { get; } = [.. Fields.Select(field => field.Option), .. Gone, "l3-cache-schema", "mem-bw-schema"];

    internal static string ToJson(Arguments arguments)
    {
        foreach (string option in (ReadOnlySpan<string>)["l3-cache-schema", "mem-bw-schema"])
            if (arguments.Value(option) is { Length: > 0 }) throw new UsageException($"--{option} cannot be had: a class of service stays what it was made; write the file schemata of its directory in resctrl");
        return JsonText.Of(writer => Write(writer, arguments));
    }

    /// <summary>64000000, 50M, 1.5GiB; -1 for no limit. Null where it is no size.</summary>
    private static long? Bytes(string text)
    {
        const string Units = "kmgtp";
        if (text == "-1") return -1;
        string size = text.ToLowerInvariant();
        if (size.EndsWith('b')) size = size[..^1];
        if (size.EndsWith('i')) size = size[..^1];
        int power = size.Length == 0 ? 0 : Units.IndexOf(size[^1], StringComparison.Ordinal) + 1;
        if (power > 0) size = size[..^1];
        return decimal.TryParse(size.TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number) && number * (1L << (10 * power)) is var bytes && bytes <= long.MaxValue ? (long)bytes : null;
    }

    private static void Write(Utf8JsonWriter writer, Arguments arguments)
    {
        foreach (IGrouping<string, (string Option, string Group, string Field)> group in Fields.Where(field => arguments.Value(field.Option) is not null).GroupBy(field => field.Group))
        {
            writer.WriteStartObject(group.Key);
            foreach ((string option, _, string field) in group)
            {
                string text = arguments.Value(option)!;
                if (field is "cpus" or "mems") writer.WriteString(field, text);
                else writer.WriteNumber(field, (group.Key == "memory" ? Bytes(text) : long.TryParse(text, CultureInfo.InvariantCulture, out long number) ? number : null) ?? throw new UsageException($"invalid value \"{text}\" for flag -{option}"));
            }

            writer.WriteEndObject();
        }
    }
}
