using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>
/// How a layer says what is gone of those below it, as overlayfs reads it (Documentation/filesystems/overlayfs.rst,
/// "whiteouts and opaque directories"): a character device 0/0 in place of what was removed, and an attribute of a directory
/// that hides all that was in it. The device can be made by anybody (Linux 5.8).
/// </summary>
internal static class OverlayForm
{
    private static ReadOnlySpan<byte> Trusted => "trusted.overlay.opaque\0"u8;

    private static ReadOnlySpan<byte> User => "user.overlay.opaque\0"u8; // read where mounted with userxattr, as in a user namespace (Linux 5.11)

    private static ReadOnlySpan<byte> TrustedRedirect => "trusted.overlay.redirect\0"u8;

    private static ReadOnlySpan<byte> UserRedirect => "user.overlay.redirect\0"u8;

    /// <param name="directory">Of the layer.</param>
    /// <param name="name">Of what is gone, ended by a NUL.</param>
    /// <returns>0 or -errno.</returns>
    internal static nint MakeWhiteout(FileDescriptor directory, ReadOnlySpan<byte> name) => FileEntries.MakeNode(directory, name, Abi.S_IFCHR);

    internal static bool IsWhiteout(in FileStatus status) => status is { Type: FileType.CharacterDevice, RawDevice: (0, 0) };

    /// <summary>In both spellings where this process may write both, so that the layer can be mounted by root and in a user namespace.</summary>
    /// <param name="directory">Not an O_PATH descriptor.</param>
    /// <returns>0 or -errno: EOPNOTSUPP where the file system knows no attributes of users, as tmpfs before Linux 6.6.</returns>
    internal static nint MakeOpaque(FileDescriptor directory)
    {
        nint trusted = FileEntries.SetAttribute(directory, Trusted, "y"u8);
        return Syscall.IsError(trusted) && !Syscall.Is(trusted, Errno.EPERM) ? trusted : FileEntries.SetAttribute(directory, User, "y"u8);
    }

    /// <param name="directory">Not an O_PATH descriptor.</param>
    internal static bool IsOpaque(FileDescriptor directory)
    {
        Span<byte> value = stackalloc byte[1];
        return IsYes(FileEntries.GetAttribute(directory, Trusted, value), value) || IsYes(FileEntries.GetAttribute(directory, User, value), value);
    }

    /// <inheritdoc cref="IsOpaque(FileDescriptor)"/>
    /// <param name="directory">Of the layer.</param>
    /// <param name="name">Of a directory in it, ended by a NUL.</param>
    internal static bool IsOpaque(FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        Span<byte> value = stackalloc byte[1];
        return IsYes(FileEntries.GetAttribute(directory, name, Trusted, value), value) || IsYes(FileEntries.GetAttribute(directory, name, User, value), value);
    }

    internal static bool IsReadIn(WhiteoutForm form) => form is WhiteoutForm.Overlay or WhiteoutForm.FuseOverlay;

    /// <summary>
    /// Where a directory that was renamed is in the layers below: an absolute path, or its former name in the same directory
    /// (overlayfs.rst, "renaming directories"). Null where it was not renamed.
    /// </summary>
    /// <exception cref="LinuxException">The attribute is no such path: the layer is damaged, or hostile.</exception>
    internal static byte[]? RedirectOf(FileDescriptor directory)
    {
        byte[] value = new byte[Abi.PATH_MAX];
        nint length = FileEntries.GetAttribute(directory, TrustedRedirect, value);
        if (Syscall.IsError(length)) length = FileEntries.GetAttribute(directory, UserRedirect, value);
        if (Syscall.IsError(length)) return null;
        ReadOnlySpan<byte> path = value.AsSpan(0, (int)length);
        bool isAbsolute = length > 0 && path[0] == '/';
        foreach (Range part in (isAbsolute ? path[1..] : path).Split((byte)'/'))
        {
            ReadOnlySpan<byte> name = (isAbsolute ? path[1..] : path)[part];
            if (name.Length is 0 or > Abi.NAME_MAX || name.SequenceEqual("."u8) || name.SequenceEqual(".."u8) || name.Contains((byte)0) || (!isAbsolute && name.Length != length))
                throw new LinuxException("getxattr", $"overlay.redirect, \"{System.Text.Encoding.UTF8.GetString(path)}\"", Errno.EINVAL, "It is neither a name nor an absolute path: the layer is damaged.");
        }

        return path.ToArray();
    }

    internal static bool HasRedirect(FileDescriptor directory, ReadOnlySpan<byte> name) =>
        FileEntries.GetAttribute(directory, name, TrustedRedirect, default) > 0 || FileEntries.GetAttribute(directory, name, UserRedirect, default) > 0;

    /// <summary>Whether a file has its content in the layers below (<c>metacopy</c>).</summary>
    internal static bool IsMetacopy(FileDescriptor directory, ReadOnlySpan<byte> name) =>
        FileEntries.GetAttribute(directory, name, "trusted.overlay.metacopy\0"u8, default) >= 0 || FileEntries.GetAttribute(directory, name, "user.overlay.metacopy\0"u8, default) >= 0;

    /// <summary>Takes both spellings away.</summary>
    internal static void RemoveOpaque(FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        FileEntries.RemoveAttribute(directory, name, Trusted);
        FileEntries.RemoveAttribute(directory, name, User);
    }

    /// <summary>Whether an attribute is overlayfs's own, and none of the file's: no image has it.</summary>
    internal static bool IsOwn(ReadOnlySpan<byte> attribute) => attribute.StartsWith("trusted.overlay."u8) || attribute.StartsWith("user.overlay."u8);

    private static bool IsYes(nint length, ReadOnlySpan<byte> value) => length == 1 && value[0] == 'y';
}
