using Isolation.Linux;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>
/// Writes the plan of a launch. Pure: the same spec on the same facts gives the same steps. The order is what matters
/// most; each part says why it stands where it stands.
/// </summary>
internal static class LaunchPlanner
{
    /// <summary>Sent by the host once the identity maps are written: the container's id, twelve characters.</summary>
    internal const int GoSize = 16;

    /// <summary>Length of a container's id, which is also its default host name.</summary>
    internal const int IdLength = 12;

    internal static LaunchPlan Plan(PlanInputs inputs) => PlanWithNotes(inputs).Plan;

    /// <summary>The plan, and what each note that it can send to the host means.</summary>
    internal static (LaunchPlan Plan, IReadOnlyList<EnforcementNote> Notes) PlanWithNotes(PlanInputs inputs)
    {
        PlanWriter writer = new(inputs.Host.Abi, inputs.Passed.Channel);
        PlanNotes notes = new(writer);
        Slot id = new("id", GoSize);

        // Nothing is done before the host has written the identity maps: until then this process has no id of its own.
        NamespaceSteps.WaitForHost(writer, id);
        DescriptorSteps.CloseOnExec(writer, inputs);
        AppArmorSteps.Write(writer, notes, inputs);
        SelinuxSteps.Write(writer, inputs);
        GroupSteps.Enter(writer, inputs);
        ResourceSteps.ChooseProcessors(writer, inputs.Spec);
        NamespaceSteps.LeaveSession(writer, inputs);
        NamespaceSteps.JoinUser(writer, inputs);

        // Before the ids change: from then on this process's files in /proc belong to the host's root (proc(5), dumpable).
        NamespaceSteps.NewTime(writer, inputs);
        NamespaceSteps.BecomeRoot(writer, inputs);
        NamespaceSteps.Join(writer, inputs);
        NamespaceSteps.Unshare(writer, inputs);
        SysctlSteps.Write(writer, inputs);

        if (inputs.Spec.Namespaces.IsNew(NamespaceKind.Mount))
            FilesystemPlanner.Write(writer, notes, inputs, id);

        HostNameSteps.Write(writer, inputs, id);
        if (inputs.Spec.Namespaces.IsNew(NamespaceKind.Network)) NetworkSteps.RaiseLoopback(writer);

        // What can only be lost is lost last, in the order in which losing it needs what is lost after it.
        ProgramSteps.Write(writer, notes, inputs);
        return (writer.Finish(last => FailureSteps.Write(last, SeccompSteps.IsUnheard(inputs))), notes.All);
    }
}
