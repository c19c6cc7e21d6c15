using System.Buffers.Binary;
using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>Limits, priorities and processors of the process; children and the program inherit them.</summary>
internal static class ResourceSteps
{
    /// <summary>First of all, while /proc is the host's and no namespace has been left.</summary>
    internal static void Write(PlanWriter writer, ContainerSpec spec)
    {
        if (spec.OomScoreAdjustment is { } score)
        {
            writer.For($"set the OOM score adjustment to {score}");
            string text = FormattableString.Invariant($"{score}");
            Slot file = writer.CallInto("oom_score_adj", openat, Operand.CurrentDirectory, "/proc/self/oom_score_adj", Operand.Named(O_WRONLY | O_CLOEXEC, "O_WRONLY|O_CLOEXEC"));
            writer.Call(write, file, Operand.Content(text), text.Length);
        }

        if (spec.Processors is { IsDefaultOrEmpty: false } processors)
        {
            byte[] mask = new byte[(processors.Max() / 64 + 1) * 8];
            foreach (int processor in processors) mask[processor / 8] |= (byte)(1 << (processor % 8));
            writer.For($"run on processors {string.Join(", ", processors)} only");
            writer.Call(sched_setaffinity, 0, mask.Length, Operand.Bytes(mask, $"[{string.Join(", ", processors)}]"));
        }

        if (spec.Nice is { } nice)
        {
            writer.For($"set the nice value to {nice}");
            writer.Call(setpriority, 0, 0, nice);
        }

        if (spec.Scheduling is { } scheduling)
        {
            byte[] parameters = new byte[8];
            BinaryPrimitives.WriteInt32LittleEndian(parameters, scheduling.Priority);
            writer.For($"schedule by {scheduling.Policy}");
            writer.Call(sched_setscheduler, 0, (int)scheduling.Policy, Operand.Bytes(parameters, $"[{scheduling.Priority}]"));
        }

        if (spec.IoPriority is { } io)
        {
            writer.For($"set the io priority to {io.Class} {io.Level}");
            writer.Call(ioprio_set, 1, 0, ((int)io.Class << 13) | io.Level); // IOPRIO_WHO_PROCESS, this one
        }

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
