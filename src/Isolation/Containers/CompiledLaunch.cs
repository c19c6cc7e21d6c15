using System.Runtime.InteropServices;
using Isolation.Launch;

namespace Isolation;

/// <summary>
/// A plan made into an image that can be executed any number of times: it is sealed, and each child has its own copy of
/// what it writes. Kept with its spec for as long as what it was made from is the same.
/// </summary>
internal sealed class CompiledLaunch
{
    private CompiledLaunch(PlanInputs inputs)
    {
        Inputs = inputs;
        (Plan, Notes) = LaunchPlanner.PlanWithNotes(inputs);
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
}
