using System.Collections.Immutable;

namespace Isolation;

/// <summary>A container under another runtime, as the container that its command runs in knows of it.</summary>
/// <param name="Runtime">Which.</param>
/// <param name="Asked">What was asked for.</param>
/// <param name="Command">The runtime with its options, before its command.</param>
/// <param name="Ignored">What is not in force, and why.</param>
internal sealed record RuntimeUse(OciRuntime Runtime, ContainerSpec Asked, ImmutableArray<string> Command, ImmutableArray<(string Feature, string Why)> Ignored)
{
    /// <summary>Its name there: there is no other in its state directory.</summary>
    internal const string Id = "container";

    internal IReadOnlyList<EnforcementEntry> Enforcement =>
    [
        new("runtime", EnforcementState.Enforced, $"the container is run by {Runtime}, from a configuration of the Open Container Initiative"),
        .. Ignored.Select(one => new EnforcementEntry(one.Feature, EnforcementState.Fallback, one.Why)),
    ];
}
