using System.Text.Json;
using System.Text.Json.Serialization;

namespace Isolation.Cgroups;

/// <summary><c>network</c>: v1's net_cls and net_prio.</summary>
internal sealed record OciNetwork
{
    /// <summary>0xAAAABBBB for the handle AAAA:BBBB of tc(8).</summary>
    [JsonPropertyName("classID")]
    public uint? ClassId { get; init; }

    [JsonPropertyName("priorities")]
    public List<OciInterfacePriority>? Priorities { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>An entry of <c>priorities</c>.</summary>
internal sealed record OciInterfacePriority
{
    [JsonPropertyName("name")]
    public required string Name { get; init; }

    [JsonPropertyName("priority")]
    public required uint Priority { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}
