namespace Isolation;

/// <summary>One thing that this host can or cannot do.</summary>
/// <param name="Feature">What, such as <c>user namespace</c>.</param>
/// <param name="IsAvailable">Whether it works here, for this process.</param>
/// <param name="Reason">How that was found out, or why it does not work.</param>
/// <param name="Remedy">What to do where it does not work and something can be done, else null.</param>
public sealed record SupportEntry(string Feature, bool IsAvailable, string Reason, string? Remedy)
{
    /// <inheritdoc/>
    public override string ToString() => IsAvailable ? $"{Feature}: yes ({Reason})" : $"{Feature}: no ({Reason}){(Remedy is null ? "" : $"; {Remedy}")}";
}
