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
        Maps = inputs.NewUser ? IdentityMaps.For(inputs.Spec, inputs.Host) : null;
        CloneFlags = NamespaceSteps.BirthFlags(inputs.Spec.Namespaces);
    }

    internal PlanInputs Inputs { get; }

    internal LaunchPlan Plan { get; }

    internal IReadOnlyList<EnforcementNote> Notes { get; }

    internal CachedImage Image { get; }

    internal IdentityMaps? Maps { get; }

    internal ulong CloneFlags { get; }

    internal static CompiledLaunch For(PlanInputs inputs, CompiledLaunch? earlier) =>
        earlier is not null && earlier.Inputs.Matches(inputs) ? earlier : new CompiledLaunch(inputs);

    /// <summary>For tests: a plan in which something goes otherwise.</summary>
    internal static CompiledLaunch Changed(PlanInputs inputs, Func<LaunchPlan, LaunchPlan> change) => new(inputs, change);
}
