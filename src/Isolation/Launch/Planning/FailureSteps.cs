using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>Where every error ends: the fault record goes to the host, and the process ends.</summary>
internal static class FailureSteps
{
    /// <summary>The slot at the base of every image: offset of the failing step, and its result.</summary>
    internal static Slot FaultRecord { get; } = new("fault", MachineCode.FirstStep);

    internal static void Write(PlanWriter writer)
    {
        writer.For("report the failing step");
        writer.Call(write, writer.Channel, Operand.AddressOf(FaultRecord), MachineCode.FirstStep).IgnoreErrors();
        writer.Call(exit_group, 127).IgnoreErrors();
    }
}
