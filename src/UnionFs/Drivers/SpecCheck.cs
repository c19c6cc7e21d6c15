namespace Isolation.UnionFs;

/// <summary>What can be told of a spec before anything is looked at.</summary>
internal static class SpecCheck
{
    internal static void Check(UnionSpec spec, UnionLimits limits, UnionDriver driver)
    {
        ArgumentNullException.ThrowIfNull(spec);
        if (spec.Lower.IsDefaultOrEmpty) throw new ArgumentException("A union needs at least one lower branch.", nameof(spec));
        if (spec.Lower.Length > limits.MaxLowerBranches)
            throw new UnionFsException(UnionFsErrorReason.TooManyBranches, $"{driver} unites at most {limits.MaxLowerBranches} read-only branches, and {spec.Lower.Length} are given", remedy: "Merge some into one, or use the driver Copy.");
        if (spec is { WritableBytes: not null, Writable: null } && driver != UnionDriver.Overlay) throw new ArgumentException("A limit of what may be written needs a writable branch.", nameof(spec));
        if (spec.WritableBytes is <= 0) throw new ArgumentException($"A limit of {spec.WritableBytes} bytes allows no writing: leave it out, and Writable too.", nameof(spec));
        if (spec.IdentityMap is not null && !limits.MapsIdentities) throw Refused(driver, "identity maps", "Use the driver Overlay, or change the owners of the branches.");
    }

    internal static UnionFsException Refused(UnionDriver driver, string what, string remedy) =>
        new(UnionFsErrorReason.NotSupported, $"The driver {driver} has no {what}", remedy: remedy);
}
