using System.Text.Json;
using Isolation.Cgroups;

namespace Isolation.Samples.Runtime;

/// <summary>The figures of a container in the form of runc's <c>events</c>.</summary>
internal static class OciEvents
{
    internal static string ToJson(string id, CgroupStats stats) => JsonText.Of(writer =>
    {
        writer.WriteString("type", "stats");
        writer.WriteString("id", id);
        writer.WriteStartObject("data");
        writer.WriteStartObject("cpu");
        writer.WriteStartObject("usage");
        Nanoseconds(writer, "total", stats.Cpu.Usage);
        Nanoseconds(writer, "kernel", stats.Cpu.System);
        Nanoseconds(writer, "user", stats.Cpu.User);
        writer.WriteEndObject();
        writer.WriteStartObject("throttling");
        Number(writer, "periods", stats.Cpu.Periods);
        Number(writer, "throttledPeriods", stats.Cpu.ThrottledPeriods);
        Nanoseconds(writer, "throttledTime", stats.Cpu.ThrottledTime);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteStartObject("memory");
        Number(writer, "cache", stats.Memory.FileCache);
        writer.WriteStartObject("usage");
        Number(writer, "limit", stats.Memory.Limit);
        Number(writer, "usage", stats.Memory.Usage);
        Number(writer, "max", stats.Memory.Peak);
        Number(writer, "failcnt", stats.Memory.LimitHits);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteStartObject("pids");
        Number(writer, "current", stats.Pids.Current);
        Number(writer, "limit", stats.Pids.Limit);
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    internal static string OutOfMemory(string id) => JsonText.Of(writer =>
    {
        writer.WriteString("type", "oom");
        writer.WriteString("id", id);
    });

    private static void Number(Utf8JsonWriter writer, string name, long? value)
    {
        if (value is { } number) writer.WriteNumber(name, number);
    }

    private static void Nanoseconds(Utf8JsonWriter writer, string name, TimeSpan? value) => Number(writer, name, value?.Ticks * 100);
}
