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

        int passed = inputs.Passed.Count;
        for (int i = 3; i < passed; i++)
        {
            LaunchStep mark = writer.Call(fcntl, i, Operand.Named(F_SETFD, "F_SETFD"), Operand.Named(FD_CLOEXEC, "FD_CLOEXEC"));
            // Below the channel stands what the caller asked for, with gaps: a number there is free, or is what native code has opened.
            if (i < inputs.Passed.Channel && !inputs.Spec.Descriptors.ContainsKey(i)) mark.Tolerate(Errno.EBADF);
        }

        writer.Call(close_range, passed, Operand.Named(uint.MaxValue, "~0"), 0);
    }

    /// <summary>What the caller asked for stays open. Last, so that nothing before it can lose it.</summary>
    internal static void KeepRequested(PlanWriter writer, PlanInputs inputs)
    {
        if (inputs.Spec.Descriptors.IsEmpty) return;
        writer.For("keep the descriptors that were asked for");
        foreach (int number in inputs.Spec.Descriptors.Keys)
            writer.Call(fcntl, number, Operand.Named(F_SETFD, "F_SETFD"), 0);
    }
}
