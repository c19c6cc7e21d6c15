namespace Isolation;

/// <summary>Ids that a container has to itself on the host.</summary>
/// <param name="First">The first of them inside.</param>
/// <param name="Count">How many.</param>
internal sealed record OwnIds(uint First, uint Count);
