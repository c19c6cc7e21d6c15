using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>Reading and writing whiteouts in any form.</summary>
internal static class Whiteouts
{
    private static ReadOnlySpan<byte> FuseOpaque => "user.fuseoverlayfs.opaque\0"u8;

    /// <param name="directory">Of the branch.</param>
    /// <param name="name">Of a directory in it.</param>
    /// <param name="form">Of the branch.</param>
    internal static bool IsOpaque(FileDescriptor directory, ReadOnlySpan<byte> name, WhiteoutForm form) => form switch
    {
        WhiteoutForm.Overlay => OverlayForm.IsOpaque(directory, name),
        WhiteoutForm.Aufs => DotForm.IsOpaque(directory, name),
        _ => OverlayForm.IsOpaque(directory, name) || DotForm.IsOpaque(directory, name) || IsFuseOpaque(directory, name),
    };

    /// <summary>Makes one. In fuse-overlayfs's form where it is told from the file's own name, a device: every reader of that form knows it.</summary>
    /// <returns>0 or -errno.</returns>
    internal static nint Make(FileDescriptor directory, ReadOnlySpan<byte> name, WhiteoutForm form)
    {
        if (form == WhiteoutForm.Aufs) return DotForm.MakeFile(directory, DotForm.WhiteoutOf(name));
        nint result = OverlayForm.MakeWhiteout(directory, name);
        return form == WhiteoutForm.FuseOverlay && Syscall.Is(result, Errno.EPERM) ? DotForm.MakeFile(directory, DotForm.WhiteoutOf(name)) : result;
    }

    /// <param name="opened">The directory itself.</param>
    /// <param name="form">Of the branch.</param>
    /// <returns>0 or -errno.</returns>
    internal static nint MakeOpaque(FileDescriptor opened, WhiteoutForm form) => form switch
    {
        WhiteoutForm.Overlay => OverlayForm.MakeOpaque(opened),
        WhiteoutForm.Aufs => DotForm.MakeFile(opened, DotForm.Opaque),
        _ => FileEntries.SetAttribute(opened, FuseOpaque, "y"u8),
    };

    /// <summary>Takes away every mark of any form.</summary>
    internal static void ClearOpaque(FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        OverlayForm.RemoveOpaque(directory, name);
        FileEntries.RemoveAttribute(directory, name, FuseOpaque);
        FileEntries.Remove(directory, [.. name[..^1], (byte)'/', .. DotForm.Opaque]);
    }

    /// <summary>Whether an attribute tells a driver something, and nobody who looks at the file.</summary>
    internal static bool IsOwnAttribute(ReadOnlySpan<byte> attribute) => OverlayForm.IsOwn(attribute) || attribute.StartsWith("user.fuseoverlayfs."u8) || attribute.StartsWith("trusted.aufs."u8);

    private static bool IsFuseOpaque(FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        Span<byte> value = stackalloc byte[1];
        return FileEntries.GetAttribute(directory, name, FuseOpaque, value) == 1 && value[0] == 'y';
    }
}
