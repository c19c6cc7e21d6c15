using System.Text.Json;

namespace Isolation.Cgroups;

/// <summary>The types of <see cref="OciResources"/> field by field.</summary>
internal static class OciResourcesReader
{
    /// <exception cref="FormatException">A field is missing, of another type or too large for its own.</exception>
    internal static OciResources Read(JsonElement element)
    {
        OciFields fields = new(element, "");
        return new()
        {
            Devices = fields.List("devices", Device),
            Memory = fields.Object("memory", Memory),
            Cpu = fields.Object("cpu", Cpu),
            Pids = fields.Object("pids", pids => new OciPids { Limit = pids.Required("limit", pids.Signed("limit")), Unknown = pids.Unknown }),
            BlockIO = fields.Object("blockIO", BlockIO),
            HugepageLimits = fields.List("hugepageLimits", limit => new OciHugepageLimit
            {
                PageSize = limit.Required("pageSize", limit.Text("pageSize")), Limit = limit.Required("limit", limit.Unsigned("limit")), Unknown = limit.Unknown,
            }),
            Network = fields.Object("network", network => new OciNetwork { ClassId = network.Unsigned32("classID"), Priorities = network.List("priorities", Priority), Unknown = network.Unknown }),
            Rdma = fields.Map("rdma", (rdma, name) => rdma.Object(name, Rdma) ?? throw rdma.Missing(name)),
            Unified = fields.Map("unified", (unified, name) => unified.Required(name, unified.Text(name))),
            Unknown = fields.Unknown,
        };
    }

    private static OciDeviceRule Device(OciFields device) => new()
    {
        Allow = device.Required("allow", device.Flag("allow")), Type = device.Text("type"), Major = device.Signed("major"), Minor = device.Signed("minor"), Access = device.Text("access"),
        Unknown = device.Unknown,
    };

    private static OciMemory Memory(OciFields memory) => new()
    {
        Limit = memory.Signed("limit"), Reservation = memory.Signed("reservation"), Swap = memory.Signed("swap"), Kernel = memory.Signed("kernel"), KernelTcp = memory.Signed("kernelTCP"),
        Swappiness = memory.Unsigned("swappiness"), DisableOomKiller = memory.Flag("disableOOMKiller"), UseHierarchy = memory.Flag("useHierarchy"),
        CheckBeforeUpdate = memory.Flag("checkBeforeUpdate"), Unknown = memory.Unknown,
    };

    private static OciCpu Cpu(OciFields cpu) => new()
    {
        Shares = cpu.Unsigned("shares"), Quota = cpu.Signed("quota"), Burst = cpu.Unsigned("burst"), Period = cpu.Unsigned("period"), RealtimeRuntime = cpu.Signed("realtimeRuntime"),
        RealtimePeriod = cpu.Unsigned("realtimePeriod"), Cpus = cpu.Text("cpus"), Mems = cpu.Text("mems"), Idle = cpu.Signed("idle"), Unknown = cpu.Unknown,
    };

    private static OciBlockIO BlockIO(OciFields io) => new()
    {
        Weight = io.Unsigned16("weight"), LeafWeight = io.Unsigned16("leafWeight"), WeightDevice = io.List("weightDevice", Weight), ThrottleReadBpsDevice = io.List("throttleReadBpsDevice", Rate),
        ThrottleWriteBpsDevice = io.List("throttleWriteBpsDevice", Rate), ThrottleReadIopsDevice = io.List("throttleReadIOPSDevice", Rate),
        ThrottleWriteIopsDevice = io.List("throttleWriteIOPSDevice", Rate), Unknown = io.Unknown,
    };

    private static OciDeviceWeight Weight(OciFields device)
    {
        OciDeviceWeight read = new()
        {
            Major = device.Required("major", device.Signed("major")), Minor = device.Required("minor", device.Signed("minor")), Weight = device.Unsigned16("weight"),
            LeafWeight = device.Unsigned16("leafWeight"), Unknown = device.Unknown,
        };
        return read.Weight is null && read.LeafWeight is null ? throw device.Missing("weight (or leafWeight)") : read;
    }

    private static OciDeviceRate Rate(OciFields device) => new()
    {
        Major = device.Required("major", device.Signed("major")), Minor = device.Required("minor", device.Signed("minor")), Rate = device.Required("rate", device.Unsigned("rate")),
        Unknown = device.Unknown,
    };

    private static OciInterfacePriority Priority(OciFields entry) => new()
    {
        Name = entry.Required("name", entry.Text("name")), Priority = entry.Required("priority", entry.Unsigned32("priority")), Unknown = entry.Unknown,
    };

    private static OciRdma Rdma(OciFields rdma)
    {
        OciRdma read = new() { HcaHandles = rdma.Unsigned32("hcaHandles"), HcaObjects = rdma.Unsigned32("hcaObjects"), Unknown = rdma.Unknown };
        return read.HcaHandles is null && read.HcaObjects is null ? throw rdma.Missing("hcaHandles (or hcaObjects)") : read;
    }
}
