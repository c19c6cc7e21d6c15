namespace Isolation.Cgroups;

/// <summary>v1 <c>blkio</c>: Documentation/admin-guide/cgroup-v1/blkio-controller.rst, Documentation/block/bfq-iosched.rst.</summary>
internal static class BlkioV1
{
    private const CgroupController Controller = CgroupController.Io;
    private const string Weights = "blkio.bfq.weight";

    /// <param name="plan">Gets the writes.</param>
    /// <param name="limits">What is asked for.</param>
    /// <param name="hasFile">Which files of weights there are depends on the scheduler that the kernel has.</param>
    internal static void Translate(LimitPlan plan, ResourceLimits limits, Func<string, bool> hasFile)
    {
        // The other scheduler with weights, cfq (blkio.weight), is gone since Linux 5.0.
        if (limits.IoWeight is { } weight) Weight(plan, hasFile, Weights, "", weight);
        foreach (IoDeviceLimit limit in limits.IoDevices)
        {
            Throttle(plan, "blkio.throttle.read_bps_device", limit.Device, limit.ReadBytesPerSecond, "limit bytes read");
            Throttle(plan, "blkio.throttle.write_bps_device", limit.Device, limit.WriteBytesPerSecond, "limit bytes written");
            Throttle(plan, "blkio.throttle.read_iops_device", limit.Device, limit.ReadOperationsPerSecond, "limit reads");
            Throttle(plan, "blkio.throttle.write_iops_device", limit.Device, limit.WriteOperationsPerSecond, "limit writes");
            if (limit.Weight is { } own) Weight(plan, hasFile, Weights + "_device", $"{limit.Device} ", own);
            plan.Lacks(limit.Latency is not null, nameof(limit.Latency), "io.latency is of v2; v1 has limits and weights");
        }
    }

    private static void Weight(LimitPlan plan, Func<string, bool> hasFile, string file, string device, int weight)
    {
        if (!hasFile(Weights))
        {
            plan.Lacks(true, nameof(ResourceLimits.IoWeight), "no block device of this machine has a scheduler with weights: that is bfq (module bfq, /sys/block/*/queue/scheduler)");
            return;
        }

        plan.Writes.Add(new(Controller, file, device + LimitText.Of(IoWeight.ToBfq(weight)), $"weigh {weight} for block devices") { Undo = before => UndoWeight(before, device) });
    }

    private static void Throttle(LimitPlan plan, string file, DeviceNumber device, long? value, string purpose)
    {
        if (value is not { } limit) return;
        plan.Writes.Add(new(Controller, file, $"{device} {LimitText.OrZero(limit)}", $"{purpose} of device {device}") { Undo = before => KeyedLine.Find(before, device.ToString()) ?? $"{device} 0" });
    }

    private static string? UndoWeight(string before, string device) =>
        device.Length == 0 ? before.Split(' ')[^1] : KeyedLine.Find(before, device.TrimEnd()) ?? device + "default";
}
