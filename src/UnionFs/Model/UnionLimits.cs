namespace Isolation.UnionFs;

/// <summary>What a driver can do. Data, for a report or a choice.</summary>
/// <param name="MaxLowerBranches">How many read-only branches, or <see cref="int.MaxValue"/>.</param>
/// <param name="IsDetached">Whether a mount has no path until it is attached, and is gone with its last descriptor, however the process ends.</param>
/// <param name="SharesFiles">Whether unions of the same branches read the same files, so that the page cache and the disk hold them once.</param>
/// <param name="KeepsOwners">Whether files show the owners that they have in the branches.</param>
/// <param name="MapsIdentities">Whether <see cref="UnionSpec.IdentityMap"/> can be had.</param>
public sealed record UnionLimits(int MaxLowerBranches, bool IsDetached, bool SharesFiles, bool KeepsOwners, bool MapsIdentities);
