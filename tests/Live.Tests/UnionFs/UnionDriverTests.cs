using Isolation.UnionFs;

namespace Isolation.Live.Tests;

/// <summary>Layer by layer, where the kernel can.</summary>
[Trait("Lane", "VM")]
public sealed class OverlayContractTests : UnionContract
{
    private protected override IUnionFileSystem Make() => Drivers.OrSkip(UnionDriver.Overlay);
}

/// <summary>The way of older kernels, forced on every kernel.</summary>
[Trait("Lane", "VM")]
public sealed class OverlayAttachedContractTests : UnionContract
{
    private protected override IUnionFileSystem Make()
    {
        Drivers.OrSkip(UnionDriver.Overlay);
        return new OverlayFileSystem(route: OverlayRoute.Attached);
    }
}

[Trait("Lane", "VM")]
public sealed class FuseOverlayContractTests : UnionContract
{
    private protected override IUnionFileSystem Make() => Drivers.OrSkip(UnionDriver.FuseOverlay);
}

[Trait("Lane", "VM")]
public sealed class CopyContractTests : UnionContract
{
    private protected override IUnionFileSystem Make() => Drivers.OrSkip(UnionDriver.Copy);
}

file static class Drivers
{
    internal static IUnionFileSystem OrSkip(UnionDriver driver)
    {
        UnionSupport support = UnionFileSystems.Probe().Single(support => support.Driver == driver);
        Assert.SkipUnless(support.IsAvailable, $"{driver}: {support.Reason}");
        return UnionFileSystems.Choose(driver).FileSystem;
    }
}
