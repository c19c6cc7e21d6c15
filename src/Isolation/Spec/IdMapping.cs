namespace Isolation;

/// <summary>One line of an identity map (user_namespaces(7)): a range of ids inside, and where it begins outside.</summary>
/// <param name="ContainerId">The first id inside the container.</param>
/// <param name="HostId">The first id it stands for in the namespace of the calling process.</param>
/// <param name="Count">How many ids, at least 1.</param>
public readonly record struct IdMapping(uint ContainerId, uint HostId, uint Count)
{
    /// <inheritdoc/>
    public override string ToString() => $"{ContainerId} {HostId} {Count}";

    internal bool Overlaps(IdMapping other) =>
        Overlaps(ContainerId, Count, other.ContainerId, other.Count) || Overlaps(HostId, Count, other.HostId, other.Count);

    private static bool Overlaps(uint a, uint aCount, uint b, uint bCount) =>
        a < (ulong)b + bCount && b < (ulong)a + aCount;
}
