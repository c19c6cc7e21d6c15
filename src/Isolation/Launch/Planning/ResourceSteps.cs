using Isolation.Linux;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>Processors and limits of the process; children and the program inherit them. Priorities: <see cref="ProcessSettings"/>.</summary>
internal static class ResourceSteps
{
    internal static void ChooseProcessors(PlanWriter writer, ContainerSpec spec)
    {
        if (spec.Processors is not { IsDefaultOrEmpty: false } processors) return;
        byte[] mask = new byte[(processors.Max() / 64 + 1) * 8];
        foreach (int processor in processors) mask[processor / 8] |= (byte)(1 << (processor % 8));
        writer.For($"run on processors {string.Join(", ", processors)} only");
        writer.Call(sched_setaffinity, 0, mask.Length, Operand.Bytes(mask, $"[{string.Join(", ", processors)}]"));
    }

    /// <summary>Last of what takes descriptors and memory, so that the limits are the program's and not the launch's.</summary>
    internal static void Limit(PlanWriter writer, ContainerSpec spec)
    {
        foreach ((ResourceLimitKind kind, ResourceLimit limit) in spec.ResourceLimits)
        {
            writer.For($"set the limit {kind} to {limit}");
            writer.Call(prlimit64, 0, (int)kind, Operand.Bytes(KernelStructs.Words(limit.Soft, limit.Hard), $"{{{limit.Soft}, {limit.Hard}}}"), Operand.Null);
        }
    }
}
