namespace Isolation.Cgroups;

/// <summary>v2 <c>io</c>: Documentation/admin-guide/cgroup-v2.rst, "IO".</summary>
internal static class IoV2
{
    internal const string NoLimits = " rbps=max wbps=max riops=max wiops=max";
    private const CgroupController Controller = CgroupController.Io;

    /// <param name="plan">Gets the writes.</param>
    /// <param name="limits">What is asked for.</param>
    /// <param name="hasFile">Which files of weights there are depends on how the kernel is built.</param>
    internal static void Translate(LimitPlan plan, ResourceLimits limits, Func<string, bool> hasFile)
    {
        if (limits.IoWeight is { } weight) Weight(plan, "default ", weight, hasFile);
        foreach (IoDeviceLimit limit in limits.IoDevices)
        {
            string max = Max(limit);
            if (max.Length > 0)
                plan.Writes.Add(new(Controller, "io.max", limit.Device + max, $"limit device {limit.Device}") { Undo = before => KeyedLine.Find(before, limit.Device.ToString()) ?? limit.Device + NoLimits });
            if (limit.Weight is { } own) Weight(plan, $"{limit.Device} ", own, hasFile);
            if (limit.Latency is { } latency)
                plan.Writes.Add(new(Controller, "io.latency", $"{limit.Device} target={LimitText.Of(LimitText.Microseconds(latency))}", $"aim at a latency of device {limit.Device}") { Undo = before => KeyedLine.Find(before, limit.Device.ToString()) ?? $"{limit.Device} target=0" });
        }
    }

    private static string Max(IoDeviceLimit limit) => string.Concat(
        new (string Name, long? Value)[] { ("rbps", limit.ReadBytesPerSecond), ("wbps", limit.WriteBytesPerSecond), ("riops", limit.ReadOperationsPerSecond), ("wiops", limit.WriteOperationsPerSecond) }
            .Where(entry => entry.Value is not null).Select(entry => $" {entry.Name}={LimitText.OrMax(entry.Value!.Value)}"));

    /// <summary>Which of the two counts the scheduler of each device decides, and that may change: bfq has its own, and the others share by cost.</summary>
    private static void Weight(LimitPlan plan, string device, int weight, Func<string, bool> hasFile)
    {
        bool byCost = hasFile("io.weight"), bfq = hasFile("io.bfq.weight");
        if (byCost) Add("io.weight", weight);
        if (bfq) Add("io.bfq.weight", IoWeight.ToBfq(weight));
        plan.Lacks(!byCost && !bfq, nameof(ResourceLimits.IoWeight), "the kernel has no weights for block devices: that is CONFIG_BLK_CGROUP_IOCOST, or the scheduler bfq");

        void Add(string file, int value) =>
            plan.Writes.Add(new(Controller, file, device + LimitText.Of(value), $"weigh {weight} for block devices") { Undo = before => KeyedLine.Find(before, device.TrimEnd()) ?? device + "default" });
    }
}
