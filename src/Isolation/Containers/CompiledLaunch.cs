using System.Runtime.InteropServices;
using Isolation.Launch;

namespace Isolation;

/// <summary>
/// A plan made into an image that can be executed any number of times: it is sealed, and each child has its own copy of
/// what it writes. Kept with its spec for as long as what it was made from is the same.
/// </summary>
internal sealed class CompiledLaunch
{
    private CompiledLaunch(PlanInputs inputs, Func<LaunchPlan, LaunchPlan>? change = null)
    {
        Inputs = inputs;
        (Plan, Notes) = LaunchPlanner.PlanWithNotes(inputs);
        if (change is not null) Plan = change(Plan);
        Image = new(() => ElfImage.Wrap(ImageAssembler.Assemble(Plan, inputs.Host.Abi), RuntimeInformation.ProcessArchitecture));
        CloneFlags = NamespaceSteps.BirthFlags(inputs.Spec.Namespaces);
    }

    private CompiledLaunch(CompiledLaunch same, PlanInputs inputs) => (Inputs, Plan, Notes, Image, CloneFlags) = (inputs, same.Plan, same.Notes, same.Image, same.CloneFlags);

    internal PlanInputs Inputs { get; }

    internal LaunchPlan Plan { get; }

    internal IReadOnlyList<EnforcementNote> Notes { get; }

    internal CachedImage Image { get; }

    internal IdentityMaps? Maps => Inputs.NewUser ? field ??= Inputs.Maps : null;

    internal ulong CloneFlags { get; }

    internal static CompiledLaunch For(PlanInputs inputs, CompiledLaunch? earlier) =>
        earlier is null || !earlier.Inputs.Matches(inputs) ? new CompiledLaunch(inputs) : inputs.Range is null ? earlier : new CompiledLaunch(earlier, inputs);

    /// <summary>For tests: a plan in which something goes otherwise.</summary>
    internal static CompiledLaunch Changed(PlanInputs inputs, Func<LaunchPlan, LaunchPlan> change) => new(inputs, change);
}
