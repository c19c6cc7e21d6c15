using System.Collections.Immutable;

namespace Isolation.Launch;

/// <summary>Who runs the program, resolved to numbers inside the container.</summary>
/// <param name="UserId">The user id.</param>
/// <param name="GroupId">The primary group id.</param>
/// <param name="Groups">Supplementary groups, the primary one not among them.</param>
/// <param name="Home">The home directory, for HOME.</param>
internal sealed record Identity(uint UserId, uint GroupId, ImmutableArray<uint> Groups, string Home)
{
    internal static Identity Root { get; } = new(0, 0, [], "/root");
}
