using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>Where every error ends: the fault record goes to the host, and the process ends.</summary>
internal static class FailureSteps
{
    /// <summary>The slot at the base of every image: offset of the failing step, and its result.</summary>
    internal static Slot FaultRecord { get; } = new("fault", MachineCode.FirstStep);

    /// <param name="writer">Of the plan.</param>
    /// <param name="unheard">A filter may be in force that leaves calls to somebody who does not hear of them yet.</param>
    internal static void Write(PlanWriter writer, bool unheard)
    {
        writer.For("report the failing step");
        if (unheard) writer.Call(sendto, writer.Channel, Operand.AddressOf(FaultRecord), MachineCode.FirstStep, SeccompSteps.Unheard, Operand.Null, 0).IgnoreErrors();
        else writer.Call(write, writer.Channel, Operand.AddressOf(FaultRecord), MachineCode.FirstStep).IgnoreErrors();
        writer.Call(exit_group, 127).IgnoreErrors();
    }
}
