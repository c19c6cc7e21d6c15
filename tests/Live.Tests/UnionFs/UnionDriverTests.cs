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

/// <summary>The program behind the FUSE driver, found first on PATH, which is the whole process's.</summary>
[Collection(nameof(Alone))]
public sealed class FuseProgramTests : IDisposable
{
    private readonly string _path = Environment.GetEnvironmentVariable("PATH") ?? "";
    private readonly TemporaryDirectory _programs = new();

    [Fact]
    public async Task A_shell_that_is_slow_to_start_it_is_waited_for()
    {
        IUnionFileSystem driver = Drivers.OrSkip(UnionDriver.FuseOverlay);
        Offer("sh", "sleep 0.7; exec /bin/sh \"$@\"");
        using UnionBranchFiles files = new();
        await using UnionMount mount = await driver.MountAsync(files.Spec(), Sandbox.Token);
        Assert.Equal("middle", File.ReadAllText(UnionBranchFiles.At(mount, "etc/hosts")));
    }

    [Fact]
    public async Task One_that_ends_at_once_is_told_with_its_words()
    {
        IUnionFileSystem driver = Drivers.OrSkip(UnionDriver.FuseOverlay);
        Offer("fuse-overlayfs", "echo the reason >&2; exit 3");
        using UnionBranchFiles files = new();
        UnionFsException failure = await Assert.ThrowsAsync<UnionFsException>(() => driver.MountAsync(files.Spec(), Sandbox.Token));
        Assert.Equal("fuse-overlayfs ended without mounting: the reason", failure.Message);
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("PATH", _path);
        _programs.Dispose();
    }

    private void Offer(string name, string script)
    {
        string file = Path.Combine(_programs.Path, name);
        File.WriteAllText(file, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Environment.SetEnvironmentVariable("PATH", $"{_programs.Path}:{_path}");
    }
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
