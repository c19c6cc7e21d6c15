using System.Text.Json;
using System.Text.Json.Serialization;

namespace Isolation.Cgroups;

/// <summary><c>memory</c>. Limits are bytes; -1 is unlimited.</summary>
internal sealed record OciMemory
{
    [JsonPropertyName("limit")]
    public long? Limit { get; init; }

    /// <summary>The soft limit.</summary>
    [JsonPropertyName("reservation")]
    public long? Reservation { get; init; }

    /// <summary>Of memory and swap together, as v1 counts.</summary>
    [JsonPropertyName("swap")]
    public long? Swap { get; init; }

    /// <summary>Not recommended by the specification; gone from Linux 6.1 on.</summary>
    [JsonPropertyName("kernel")]
    public long? Kernel { get; init; }

    /// <summary>Not recommended by the specification.</summary>
    [JsonPropertyName("kernelTCP")]
    public long? KernelTcp { get; init; }

    /// <summary>From 0 to 100.</summary>
    [JsonPropertyName("swappiness")]
    public ulong? Swappiness { get; init; }

    [JsonPropertyName("disableOOMKiller")]
    public bool? DisableOomKiller { get; init; }

    [JsonPropertyName("useHierarchy")]
    public bool? UseHierarchy { get; init; }

    /// <summary>Refuse a limit below what is used, as v1 does by itself.</summary>
    [JsonPropertyName("checkBeforeUpdate")]
    public bool? CheckBeforeUpdate { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}
