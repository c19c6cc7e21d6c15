using System.Text.Json;
using System.Text.Json.Serialization;

namespace Isolation.Cgroups;

/// <summary>
/// The object <c>linux.resources</c> of the OCI runtime specification 1.3 (config-linux.md, "Control groups"), field by
/// field, in the types of its Go declarations (specs-go/config.go). Null is "not said"; -1, where the specification has
/// it, is "unlimited" and stays -1.
/// </summary>
/// <remarks>
/// A field that is not of the specification is kept: it is written again, and <see cref="OciUnknownFields"/> names it, so
/// that who reads a configuration can refuse what it would otherwise skip.
/// </remarks>
internal sealed record OciResources
{
    [JsonPropertyName("devices")]
    public List<OciDeviceRule>? Devices { get; init; }

    [JsonPropertyName("memory")]
    public OciMemory? Memory { get; init; }

    [JsonPropertyName("cpu")]
    public OciCpu? Cpu { get; init; }

    [JsonPropertyName("pids")]
    public OciPids? Pids { get; init; }

    [JsonPropertyName("blockIO")]
    public OciBlockIO? BlockIO { get; init; }

    [JsonPropertyName("hugepageLimits")]
    public List<OciHugepageLimit>? HugepageLimits { get; init; }

    [JsonPropertyName("network")]
    public OciNetwork? Network { get; init; }

    /// <summary>By the name of the RDMA device.</summary>
    [JsonPropertyName("rdma")]
    public Dictionary<string, OciRdma>? Rdma { get; init; }

    /// <summary>What to write to the files of a v2 group, by the file's name.</summary>
    [JsonPropertyName("unified")]
    public Dictionary<string, string>? Unified { get; init; }

    /// <summary>Settable, here as below, because the serializer fills it in after it has made the object.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>An entry of <c>devices</c>.</summary>
internal sealed record OciDeviceRule
{
    [JsonPropertyName("allow")]
    public required bool Allow { get; init; }

    /// <summary><c>a</c>, <c>c</c> or <c>b</c>; null is <c>a</c>.</summary>
    [JsonPropertyName("type")]
    public string? Type { get; init; }

    /// <summary>Null, and -1 as runtimes read it, are all.</summary>
    [JsonPropertyName("major")]
    public long? Major { get; init; }

    /// <summary>Null, and -1 as runtimes read it, are all.</summary>
    [JsonPropertyName("minor")]
    public long? Minor { get; init; }

    /// <summary>Of <c>r</c>, <c>w</c> and <c>m</c>.</summary>
    [JsonPropertyName("access")]
    public string? Access { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary><c>pids</c>.</summary>
internal sealed record OciPids
{
    /// <summary>Tasks, that is threads; -1 is unlimited.</summary>
    [JsonPropertyName("limit")]
    public required long Limit { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>An entry of <c>hugepageLimits</c>.</summary>
internal sealed record OciHugepageLimit
{
    /// <summary>As in the kernel's file names: <c>64KB</c>, <c>2MB</c>, <c>1GB</c>.</summary>
    [JsonPropertyName("pageSize")]
    public required string PageSize { get; init; }

    /// <summary>Bytes.</summary>
    [JsonPropertyName("limit")]
    public required ulong Limit { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>An entry of <c>rdma</c>.</summary>
internal sealed record OciRdma
{
    [JsonPropertyName("hcaHandles")]
    public uint? HcaHandles { get; init; }

    [JsonPropertyName("hcaObjects")]
    public uint? HcaObjects { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}
