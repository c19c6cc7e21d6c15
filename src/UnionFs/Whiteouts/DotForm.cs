using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>
/// Whiteouts as files beside what is gone: AUFS's, and those of OCI layers. A name that starts with <c>.wh..wh.</c> is AUFS's own
/// (aufs.5, "Whiteout": the pseudo-links, the orphans, the opaque mark), and never a file of the union.
/// </summary>
internal static class DotForm
{
    internal static ReadOnlySpan<byte> Opaque => ".wh..wh..opq\0"u8;

    private static ReadOnlySpan<byte> Prefix => ".wh."u8;

    private static ReadOnlySpan<byte> OwnPrefix => ".wh..wh."u8;

    internal static bool IsReadIn(WhiteoutForm form) => form is WhiteoutForm.Aufs or WhiteoutForm.FuseOverlay;

    /// <summary>Whether a name is AUFS's own.</summary>
    internal static bool IsOwn(ReadOnlySpan<byte> name) => name.StartsWith(OwnPrefix);

    /// <summary>Whether a name, ended by a NUL, says that another is gone.</summary>
    internal static bool IsWhiteout(ReadOnlySpan<byte> name) => name.StartsWith(Prefix) && !name.StartsWith(OwnPrefix) && name.Length > Prefix.Length + 1;

    /// <summary>The name that a whiteout hides.</summary>
    internal static byte[] Hidden(ReadOnlySpan<byte> name) => name[Prefix.Length..].ToArray();

    /// <summary>The whiteout that hides a name.</summary>
    /// <exception cref="UnionFsException">With the prefix the name is longer than a name may be.</exception>
    internal static byte[] WhiteoutOf(ReadOnlySpan<byte> name)
    {
        if (name.Length - 1 + Prefix.Length > Abi.NAME_MAX)
        {
            throw new UnionFsException(UnionFsErrorReason.NotSupported,
                $"The name \"{FileName.Text(name)}\" has {name.Length - 1} bytes: its whiteout in the form of AUFS would be longer than {Abi.NAME_MAX}",
                remedy: "The form of overlayfs has room for every name.");
        }

        return [.. Prefix, .. name];
    }

    internal static bool Hides(FileDescriptor directory, ReadOnlySpan<byte> name) =>
        name.Length - 1 + Prefix.Length <= Abi.NAME_MAX && !Syscall.IsError(FileEntries.Status(directory, WhiteoutOf(name), out _));

    internal static bool IsOpaque(FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        byte[] mark = [.. name[..^1], (byte)'/', .. Opaque];
        return !Syscall.IsError(FileEntries.Status(directory, mark, out _));
    }

    /// <returns>0 or -errno.</returns>
    internal static nint MakeFile(FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        nint result = FileEntries.Open(directory, name, Abi.O_WRONLY | Abi.O_CREAT | Abi.O_EXCL, 0x124 /* 0444 */);
        if (!Syscall.IsError(result)) new FileDescriptor((int)result).Dispose();
        return Math.Min(result, 0);
    }
}
