using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>What this kernel's overlayfs understands, asked of it and not told from its version: distributions carry back features.</summary>
/// <param name="OpenResult">0, or why fsopen(2) refuses: ENODEV without overlayfs, EPERM without CAP_SYS_ADMIN.</param>
/// <param name="HasAppend">Whether layers can be given one by one (<c>lowerdir+</c>, Linux 6.5).</param>
/// <param name="HasDetachedLayers">Whether a layer may be a mount that is attached nowhere (clone_private_mount, Linux 6.15).</param>
internal sealed record OverlayKernel(Errno OpenResult, bool HasAppend, bool HasDetachedLayers)
{
    private static OverlayKernel? _working;

    /// <summary>A kernel that has overlayfs does not lose it, and is asked once; one that has none, or a process that may not, may have it later.</summary>
    internal static OverlayKernel Probe()
    {
        if (_working is { } known) return known;
        nint result = MountContext.TryOpen("overlay", out MountContext? context);
        using (context)
        {
            if (context is null) return new(Syscall.ErrnoOf(result), false, false);
            // Before the port to the new interface (Linux 6.5) every option is taken on trust until the mount is made, one
            // that nobody knows too. What is refused here is told in the context, and not in the kernel's log.
            bool isPorted = Syscall.IsError(context.TrySet("isolation", "none"));
            bool hasAppend = isPorted && !Syscall.IsError(context.TrySet("lowerdir+", "/"));
            return _working = new(Errno.None, hasAppend, hasAppend && TakesDetachedLayer());
        }
    }

    private static bool TakesDetachedLayer()
    {
        try
        {
            using MountContext tmpfs = MountContext.Open("tmpfs");
            using FileDescriptor layer = tmpfs.Make(0);
            foreach (string name in (string[])["lower", "upper", "work"]) WritableDirectory.MakeOne(layer, name, 0x1C0);
            using MountContext context = MountContext.Open("overlay");
            string path = $"/proc/self/fd/{layer.Number}";
            context.Set("lowerdir+", path + "/lower");
            context.Set("upperdir", path + "/upper");
            context.Set("workdir", path + "/work");
            context.Make(0).Dispose();
            return true;
        }
        catch (LinuxException)
        {
            return false; // the answer, whichever call gives it: then layers are attached in a namespace of a thread's own
        }
    }
}
