using System.Text.Json;
using System.Text.Json.Serialization;

namespace Isolation.Cgroups;

/// <summary><c>cpu</c>. Times are microseconds.</summary>
internal sealed record OciCpu
{
    /// <summary>v1's measure, from 2 to 262144; see <see cref="CpuWeight"/>.</summary>
    [JsonPropertyName("shares")]
    public ulong? Shares { get; init; }

    /// <summary>In one period; negative is unlimited.</summary>
    [JsonPropertyName("quota")]
    public long? Quota { get; init; }

    [JsonPropertyName("burst")]
    public ulong? Burst { get; init; }

    [JsonPropertyName("period")]
    public ulong? Period { get; init; }

    [JsonPropertyName("realtimeRuntime")]
    public long? RealtimeRuntime { get; init; }

    [JsonPropertyName("realtimePeriod")]
    public ulong? RealtimePeriod { get; init; }

    /// <summary>A list of processors, <c>0-2,7</c>.</summary>
    [JsonPropertyName("cpus")]
    public string? Cpus { get; init; }

    /// <summary>A list of memory nodes.</summary>
    [JsonPropertyName("mems")]
    public string? Mems { get; init; }

    /// <summary>1 is SCHED_IDLE for the group, 0 is not.</summary>
    [JsonPropertyName("idle")]
    public long? Idle { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}
