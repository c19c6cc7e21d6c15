using System.Text.Json;
using System.Text.Json.Serialization;

namespace Isolation.Cgroups;

/// <summary><c>blockIO</c>. Weights are v1's, from 10 to 1000; see <see cref="IoWeight"/>.</summary>
internal sealed record OciBlockIO
{
    [JsonPropertyName("weight")]
    public ushort? Weight { get; init; }

    [JsonPropertyName("leafWeight")]
    public ushort? LeafWeight { get; init; }

    [JsonPropertyName("weightDevice")]
    public List<OciDeviceWeight>? WeightDevice { get; init; }

    /// <summary>Bytes a second.</summary>
    [JsonPropertyName("throttleReadBpsDevice")]
    public List<OciDeviceRate>? ThrottleReadBpsDevice { get; init; }

    /// <summary>Bytes a second.</summary>
    [JsonPropertyName("throttleWriteBpsDevice")]
    public List<OciDeviceRate>? ThrottleWriteBpsDevice { get; init; }

    /// <summary>Operations a second.</summary>
    [JsonPropertyName("throttleReadIOPSDevice")]
    public List<OciDeviceRate>? ThrottleReadIopsDevice { get; init; }

    /// <summary>Operations a second.</summary>
    [JsonPropertyName("throttleWriteIOPSDevice")]
    public List<OciDeviceRate>? ThrottleWriteIopsDevice { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>An entry of <c>weightDevice</c>; one of the weights must be there.</summary>
internal sealed record OciDeviceWeight
{
    [JsonPropertyName("major")]
    public required long Major { get; init; }

    [JsonPropertyName("minor")]
    public required long Minor { get; init; }

    [JsonPropertyName("weight")]
    public ushort? Weight { get; init; }

    [JsonPropertyName("leafWeight")]
    public ushort? LeafWeight { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>An entry of the four lists of rates.</summary>
internal sealed record OciDeviceRate
{
    [JsonPropertyName("major")]
    public required long Major { get; init; }

    [JsonPropertyName("minor")]
    public required long Minor { get; init; }

    /// <summary>A second. In v1, 0 takes a limit away.</summary>
    [JsonPropertyName("rate")]
    public required ulong Rate { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}
