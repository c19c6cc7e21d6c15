namespace Isolation.Cgroups;

/// <summary>
/// Between v1's blkio.weight (10 to 1000), v2's io.weight (1 to 10000) and v2's io.bfq.weight (1 to 1000), which the BFQ
/// scheduler has.
/// </summary>
internal static class IoWeight
{
    internal const int MinBlkio = 10, MaxBlkio = 1000;
    internal const int Min = 1, Max = 10000;
    internal const int MinBfq = 1, MaxBfq = 1000;

    /// <summary>The straight line of runc and crun (github.com/opencontainers/cgroups, ConvertBlkIOToIOWeightValue).</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not from 10 to 1000.</exception>
    internal static int FromBlkio(long weight)
    {
        CheckBlkio(weight);
        return (int)(1 + (weight - 10) * 9999 / 990);
    }

    /// <summary>The largest blkio.weight that <see cref="FromBlkio"/> makes no more than this of: an io.weight between two steps is rounded down.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not from 1 to 10000.</exception>
    internal static int ToBlkio(long weight)
    {
        if (weight is < Min or > Max) throw new ArgumentOutOfRangeException(nameof(weight), weight, $"io.weight is from {Min} to {Max}.");
        // floor(x · 9999 / 990) <= w - 1 for all x with x · 9999 < w · 990
        return (int)(10 + (weight * 990 - 1) / 9999);
    }

    /// <summary>The same number: BFQ reads its weight on both versions alike, and runc and crun write it so.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not from 10 to 1000.</exception>
    internal static int BfqFromBlkio(long weight)
    {
        CheckBlkio(weight);
        return (int)weight;
    }

    /// <summary>The same number, where v1 has it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not from 1 to 1000.</exception>
    /// <exception cref="CgroupException">From 1 to 9, for which v1 has no word (NotSupported).</exception>
    internal static int BlkioFromBfq(long weight)
    {
        if (weight is < MinBfq or > MaxBfq) throw new ArgumentOutOfRangeException(nameof(weight), weight, $"io.bfq.weight is from {MinBfq} to {MaxBfq}.");
        if (weight < MinBlkio)
            throw new CgroupException(CgroupErrorReason.NotSupported, $"The io.bfq.weight {weight} is no blkio.weight, which begins at {MinBlkio}", remedy: $"use {MinBlkio} or more");
        return (int)weight;
    }

    /// <summary>io.weight as the weight of BFQ, so that the defaults (100) meet and the ends do.</summary>
    internal static int ToBfq(int weight) => weight <= 100 ? weight : 100 + (int)Math.Round((weight - 100) * 900.0 / 9900);

    /// <summary>The io.weight that <see cref="ToBfq"/> makes this of.</summary>
    internal static int FromBfq(int weight) => weight <= 100 ? weight : 100 + (weight - 100) * 11;

    private static void CheckBlkio(long weight)
    {
        if (weight is < MinBlkio or > MaxBlkio) throw new ArgumentOutOfRangeException(nameof(weight), weight, $"blkio.weight is from {MinBlkio} to {MaxBlkio}.");
    }
}
