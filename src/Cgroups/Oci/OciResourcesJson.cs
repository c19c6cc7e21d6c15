using System.Text.Json;
using System.Text.Json.Serialization;

namespace Isolation.Cgroups;

/// <summary>Reads and writes <see cref="OciResources"/>.</summary>
internal static class OciResourcesJson
{
    /// <param name="utf8">The object <c>linux.resources</c>.</param>
    /// <exception cref="FormatException">It is no JSON, or a field is missing, there twice, of another type or too large for its own.</exception>
    internal static OciResources Read(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return Checked(JsonSerializer.Deserialize(utf8, OciResourcesJsonContext.Default.OciResources));
        }
        catch (JsonException failure)
        {
            throw Malformed(failure.Message, failure);
        }
    }

    /// <inheritdoc cref="Read(ReadOnlySpan{byte})"/>
    internal static OciResources Read(JsonElement element)
    {
        try
        {
            return Checked(element.Deserialize(OciResourcesJsonContext.Default.OciResources));
        }
        catch (JsonException failure)
        {
            throw Malformed(failure.Message, failure);
        }
    }

    internal static void Write(Utf8JsonWriter writer, OciResources resources) =>
        JsonSerializer.Serialize(writer, resources, OciResourcesJsonContext.Default.OciResources);

    internal static byte[] ToUtf8(OciResources resources) =>
        JsonSerializer.SerializeToUtf8Bytes(resources, OciResourcesJsonContext.Default.OciResources);

    /// <summary>What the specification demands and a type cannot say.</summary>
    private static OciResources Checked(OciResources? resources)
    {
        if (resources is null) throw Malformed("got null, want an object");
        RefuseNull(resources.Devices, "devices");
        RefuseNull(resources.HugepageLimits, "hugepageLimits");
        RefuseNull(resources.Network?.Priorities, "network.priorities");
        RefuseNull(resources.Rdma?.Values, "rdma");
        RefuseNull(resources.Unified?.Values, "unified");
        OciBlockIO? io = resources.BlockIO;
        RefuseNull(io?.WeightDevice, "blockIO.weightDevice");
        foreach (var rates in new[] { io?.ThrottleReadBpsDevice, io?.ThrottleWriteBpsDevice, io?.ThrottleReadIopsDevice, io?.ThrottleWriteIopsDevice })
            RefuseNull(rates, "blockIO.throttle…Device");
        foreach (var (name, rdma) in resources.Rdma ?? [])
            if (rdma.HcaHandles is null && rdma.HcaObjects is null) throw Malformed($"rdma.{name} has neither hcaHandles nor hcaObjects, and must have one");
        foreach (OciDeviceWeight device in io?.WeightDevice ?? [])
            if (device.Weight is null && device.LeafWeight is null)
                throw Malformed($"blockIO.weightDevice {device.Major}:{device.Minor} has neither weight nor leafWeight, and must have one");
        return resources;
    }

    private static void RefuseNull<T>(IEnumerable<T?>? entries, string name)
        where T : class
    {
        if (entries is not null && entries.Any(entry => entry is null)) throw Malformed($"{name} has an entry that is null");
    }

    private static FormatException Malformed(string why, Exception? cause = null) => new($"linux.resources cannot be read: {why.TrimEnd('.')}.", cause);
}

// Duplicate names are refused: of two readers that each take another one, the first would check what the second does not do.
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, AllowDuplicateProperties = false, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(OciResources))]
internal sealed partial class OciResourcesJsonContext : JsonSerializerContext;
