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

    /// <summary>By the program's own process: what forks under SCHED_DEADLINE is refused, and resetting on fork would undo it (sched(7)).</summary>
    internal static void Schedule(PlanWriter writer, ContainerSpec spec)
    {
        if (spec.SchedulerAttributes is { } attributes)
        {
            writer.For($"schedule by {attributes.Name}");
            writer.Call(sched_setattr, 0, Operand.Bytes(attributes.ToStruct(), $"{attributes}"), 0);
        }

        if (spec.MemoryPolicy is not { } policy) return;
        byte[] nodes = policy.Nodes.IsEmpty ? [] : new byte[(policy.Nodes.Max() / 64 + 1) * 8];
        foreach (int node in policy.Nodes) nodes[node / 8] |= (byte)(1 << (node % 8));
        writer.For($"take memory by {policy}");
        // The kernel leaves the last bit out (set_mempolicy(2), BUGS).
        if (nodes.Length == 0) writer.Call(set_mempolicy, policy.Mode, Operand.Null, 0);
        else writer.Call(set_mempolicy, policy.Mode, Operand.Bytes(nodes, $"[{string.Join(", ", policy.Nodes)}]"), nodes.Length * 8 + 1);
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
