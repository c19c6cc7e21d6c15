using System.Text.Json;

namespace Isolation.Cgroups;

/// <summary>Finds what a configuration says and the specification does not know.</summary>
internal static class OciUnknownFields
{
    /// <summary>The paths below <c>linux.resources</c>, such as <c>memory.limits</c> or <c>devices[2].kind</c>.</summary>
    internal static List<string> Of(OciResources resources)
    {
        List<string> paths = [];
        Add(resources.Unknown, "");
        AddAll(resources.Devices, "devices", entry => entry.Unknown);
        Add(resources.Memory?.Unknown, "memory.");
        Add(resources.Cpu?.Unknown, "cpu.");
        Add(resources.Pids?.Unknown, "pids.");
        AddAll(resources.HugepageLimits, "hugepageLimits", entry => entry.Unknown);
        Add(resources.Network?.Unknown, "network.");
        AddAll(resources.Network?.Priorities, "network.priorities", entry => entry.Unknown);
        foreach (var (name, rdma) in resources.Rdma ?? []) Add(rdma.Unknown, $"rdma.{name}.");
        if (resources.BlockIO is { } io)
        {
            Add(io.Unknown, "blockIO.");
            AddAll(io.WeightDevice, "blockIO.weightDevice", entry => entry.Unknown);
            AddAll(io.ThrottleReadBpsDevice, "blockIO.throttleReadBpsDevice", entry => entry.Unknown);
            AddAll(io.ThrottleWriteBpsDevice, "blockIO.throttleWriteBpsDevice", entry => entry.Unknown);
            AddAll(io.ThrottleReadIopsDevice, "blockIO.throttleReadIOPSDevice", entry => entry.Unknown);
            AddAll(io.ThrottleWriteIopsDevice, "blockIO.throttleWriteIOPSDevice", entry => entry.Unknown);
        }
        return paths;

        void Add(Dictionary<string, JsonElement>? unknown, string prefix)
        {
            if (unknown is not null) paths.AddRange(unknown.Keys.Select(key => prefix + key));
        }

        void AddAll<T>(List<T>? entries, string name, Func<T, Dictionary<string, JsonElement>?> unknown)
        {
            for (int i = 0; i < entries?.Count; i++) Add(unknown(entries[i]), $"{name}[{i}].");
        }
    }
}
