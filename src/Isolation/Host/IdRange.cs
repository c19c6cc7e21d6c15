namespace Isolation;

/// <summary>A range of ids of the host, claimed for one container.</summary>
/// <param name="User">The first user id.</param>
/// <param name="Group">The first group id.</param>
/// <param name="Claim">Lets go of them; null of a range that is only told of.</param>
internal sealed record IdRange(uint User, uint Group, Claim? Claim);
