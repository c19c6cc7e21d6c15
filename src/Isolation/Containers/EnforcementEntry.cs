namespace Isolation;

/// <summary>How far something that was asked for is in force.</summary>
public enum EnforcementState
{
    /// <summary>As asked for.</summary>
    Enforced,

    /// <summary>Something weaker or other stands in for it; the detail says what and why.</summary>
    Fallback,

    /// <summary>Not isolated, because the caller said so.</summary>
    Shared,
}

/// <summary>One thing that was asked for, and what came of it.</summary>
/// <param name="Feature">What: a namespace, a mount, a privilege.</param>
/// <param name="State">How far it is in force.</param>
/// <param name="Detail">In words.</param>
public sealed record EnforcementEntry(string Feature, EnforcementState State, string Detail);
