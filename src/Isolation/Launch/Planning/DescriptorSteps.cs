using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

internal static class DescriptorSteps
{
    /// <summary>
    /// Everything above the standard streams closes when the program starts: what the launcher passed, and what native
    /// code of the host program opened without O_CLOEXEC (CVE-2024-21626 was one such descriptor).
    /// </summary>
    internal static void CloseOnExec(PlanWriter writer, PlanInputs inputs)
    {
        writer.For("close every descriptor but the standard streams when the program starts");
        if (inputs.Host.HasCloseRangeCloexec)
        {
            writer.Call(close_range, 3, Operand.Named(uint.MaxValue, "~0"), Operand.Named(CLOSE_RANGE_CLOEXEC, "CLOSE_RANGE_CLOEXEC"));
            return;
        }

        int passed = PassedDescriptors.Count(inputs.Spec.Namespaces);
        for (int i = 3; i < passed; i++)
            writer.Call(fcntl, i, Operand.Named(F_SETFD, "F_SETFD"), Operand.Named(FD_CLOEXEC, "FD_CLOEXEC"));
        writer.Call(close_range, passed, Operand.Named(uint.MaxValue, "~0"), 0);
    }
}
