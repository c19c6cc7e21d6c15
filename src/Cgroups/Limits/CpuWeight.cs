namespace Isolation.Cgroups;

/// <summary>Between v1's cpu.shares (2 to 262144, 1024 by default) and v2's cpu.weight (1 to 10000, 100 by default).</summary>
/// <remarks>
/// There are two customs. <see cref="FromShares"/> is what runc (since 1.3.2) and crun (since 1.23) do: a curve through
/// the smallest, the default and the largest value of both. It is the default here, because with the older straight line
/// a container of 1024 shares, v1's default, gets the weight 39 and loses against every group that has v2's default of
/// 100. <see cref="FromSharesLinear"/> is that line, of Kubernetes' KEP-2254, for who must agree with an older runtime.
/// </remarks>
internal static class CpuWeight
{
    internal const int MinShares = 2, MaxShares = 262144;
    internal const int Min = 1, Max = 10000;

    /// <exception cref="ArgumentOutOfRangeException">Not from 2 to 262144.</exception>
    internal static int FromShares(long shares)
    {
        CheckShares(shares);
        // github.com/opencontainers/cgroups, ConvertCPUSharesToCgroupV2Value
        double log = Math.Log2(shares);
        double exponent = (log * log + 125 * log) / 612.0 - 7.0 / 34.0;
        // Less than the rounding errors of a double away from a whole number is that number: 1024 is 100, whatever libm says.
        return Math.Clamp((int)Math.Ceiling(Math.Pow(10, exponent) - 1e-8), Min, Max);
    }

    /// <summary>Shares that <see cref="FromShares"/> makes this weight of; 1024 for 100.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not from 1 to 10000.</exception>
    internal static int ToShares(long weight)
    {
        CheckWeight(weight);
        // The root of log² + 125 log = 612 (log10 weight + 7/34), then a step or two against the rounding.
        double right = 612 * (Math.Log10(weight) + 7.0 / 34.0);
        double log = (Math.Sqrt(125 * 125 + 4 * right) - 125) / 2;
        int shares = Math.Clamp((int)Math.Round(Math.Pow(2, log)), MinShares, MaxShares);
        while (shares > MinShares && FromShares(shares) > weight) shares--;
        while (shares < MaxShares && FromShares(shares) < weight) shares++;
        return shares;
    }

    /// <exception cref="ArgumentOutOfRangeException">Not from 2 to 262144.</exception>
    internal static int FromSharesLinear(long shares)
    {
        CheckShares(shares);
        return (int)(1 + (shares - 2) * 9999 / 262142);
    }

    /// <summary>The fewest shares that <see cref="FromSharesLinear"/> makes this weight of.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not from 1 to 10000.</exception>
    internal static int ToSharesLinear(long weight)
    {
        CheckWeight(weight);
        return (int)(2 + ((weight - 1) * 262142 + 9998) / 9999);
    }

    private static void CheckShares(long shares)
    {
        if (shares is < MinShares or > MaxShares) throw new ArgumentOutOfRangeException(nameof(shares), shares, $"cpu.shares is from {MinShares} to {MaxShares}.");
    }

    private static void CheckWeight(long weight)
    {
        if (weight is < Min or > Max) throw new ArgumentOutOfRangeException(nameof(weight), weight, $"cpu.weight is from {Min} to {Max}.");
    }
}
