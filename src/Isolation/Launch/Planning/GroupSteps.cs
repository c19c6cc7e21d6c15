using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

internal static class GroupSteps
{
    /// <summary>
    /// Before the ids change, and before a control group namespace is made, whose root is the group that its maker is in
    /// (cgroup_namespaces(7)). What it does from here on is limited and counted.
    /// </summary>
    internal static void Enter(PlanWriter writer, PlanInputs inputs)
    {
        if (inputs.Passed.Groups == 0) return;
        writer.For("enter the control group");
        for (int i = 0; i < inputs.Passed.Groups; i++) writer.Call(write, inputs.Passed.FirstGroup + i, Operand.Content("0"), 1);
    }
}
