using System.Collections.Immutable;
using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>Which drivers this machine has, and the choice among them.</summary>
public static class UnionFileSystems
{
    /// <summary>Asks for each driver whether it works here, for this user. Makes and leaves nothing.</summary>
    /// <returns>In the order of preference.</returns>
    public static ImmutableArray<UnionSupport> Probe() => [ProbeOverlay(), ProbeAufs(), ProbeFuse(), new(UnionDriver.Copy, true, "works anywhere", null)];

    /// <summary>The first driver that works here.</summary>
    public static UnionChoice Choose()
    {
        ImmutableArray<UnionSupport> considered = Probe();
        UnionSupport chosen = considered.First(support => support.IsAvailable);
        string passedOver = string.Concat(considered.TakeWhile(support => support != chosen).Select(support => $"{support.Driver}: {support.Reason}; "));
        return new(Make(chosen.Driver), $"{passedOver}{chosen.Driver}: {chosen.Reason}", considered);
    }

    /// <summary>A driver by name.</summary>
    /// <exception cref="UnionFsException"><see cref="UnionFsErrorReason.DriverUnavailable"/>: it does not work here; the message says why, and what helps.</exception>
    public static UnionChoice Choose(UnionDriver driver)
    {
        ImmutableArray<UnionSupport> considered = Probe();
        UnionSupport chosen = considered.FirstOrDefault(support => support.Driver == driver) ?? throw new ArgumentOutOfRangeException(nameof(driver), driver, "There is no such driver.");
        if (!chosen.IsAvailable) throw new UnionFsException(UnionFsErrorReason.DriverUnavailable, $"The driver {driver} does not work here: {chosen.Reason}", remedy: chosen.Remedy);
        return new(Make(driver), "asked for by name", considered);
    }

    private static IUnionFileSystem Make(UnionDriver driver) => driver switch
    {
        UnionDriver.Overlay => new OverlayFileSystem(),
        UnionDriver.Aufs => new AufsFileSystem(),
        UnionDriver.FuseOverlay => new FuseOverlayFileSystem(),
        _ => new CopyFileSystem(),
    };

    private static UnionSupport ProbeOverlay()
    {
        OverlayKernel kernel = OverlayKernel.Probe();
        if (kernel.OpenResult == Errno.None) return new(UnionDriver.Overlay, true, kernel.HasAppend ? "the kernel's overlayfs, layer by layer" : "the kernel's overlayfs, by mount(2)", null);
        UnionFsException exception = OverlayFailures.Unavailable(kernel.OpenResult);
        return new(UnionDriver.Overlay, false, exception.Message, exception.Remedy);
    }

    private static UnionSupport ProbeAufs()
    {
        nint result = MountContext.TryOpen("aufs", out MountContext? context);
        context?.Dispose();
        return Syscall.ErrnoOf(result) switch
        {
            Errno.None => new(UnionDriver.Aufs, true, "the kernel has AUFS", null),
            Errno.ENODEV => new(UnionDriver.Aufs, false, "this kernel has no AUFS", "Use the driver Overlay: AUFS is in no kernel of kernel.org."),
            _ => new(UnionDriver.Aufs, false, "mounting needs CAP_SYS_ADMIN over this process's mount namespace", "Run as root."),
        };
    }

    private static UnionSupport ProbeFuse()
    {
        string? lack = FuseProgram.Find(out _);
        return lack is null ? new(UnionDriver.FuseOverlay, true, "the program fuse-overlayfs", null) : new(UnionDriver.FuseOverlay, false, lack, "Install the packages fuse-overlayfs and fuse3, and see that /dev/fuse can be opened.");
    }
}

/// <summary>Whether a driver works here.</summary>
/// <param name="Driver">Which.</param>
/// <param name="IsAvailable">Whether it works, for this user.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="Remedy">What would make it work, where that is known.</param>
public sealed record UnionSupport(UnionDriver Driver, bool IsAvailable, string Reason, string? Remedy);

/// <summary>A driver, and why it is this one.</summary>
/// <param name="FileSystem">The driver.</param>
/// <param name="Reason">Why it was chosen, and why those before it were not.</param>
/// <param name="Considered">All of them.</param>
public sealed record UnionChoice(IUnionFileSystem FileSystem, string Reason, ImmutableArray<UnionSupport> Considered);
