namespace Isolation.Linux;

/// <summary>
/// The attributes that any owner of a file may set, <c>user.*</c> (xattr(7)). Others say what the kernel is to make of the
/// file (capabilities, labels, access lists with ids of another machine), and are not carried from one place to another.
/// </summary>
internal static unsafe class ExtendedAttributes
{
    /// <summary>Sets on one file what another has.</summary>
    /// <param name="source">Open for reading.</param>
    /// <param name="calls">Who sets them.</param>
    /// <param name="target">Not an O_PATH descriptor.</param>
    /// <returns>0 or -errno. A file system that knows none is no error, on either side.</returns>
    internal static nint Copy(FileDescriptor source, FileCalls calls, FileDescriptor target)
    {
        using var held = source.Hold();
        nint length = Syscall.Invoke(SystemCall.flistxattr, held.Number);
        if (length <= 0) return Tolerated(length);
        byte[] names = new byte[Abi.XATTR_LIST_MAX];
        fixed (byte* bytes = names) length = Syscall.Invoke(SystemCall.flistxattr, held.Number, (nint)bytes, names.Length);
        if (length <= 0) return Tolerated(length);
        byte[]? value = null;
        for (int start = 0; start < length;)
        {
            int end = names.AsSpan(start).IndexOf((byte)0) + start + 1;
            ReadOnlySpan<byte> name = names.AsSpan(start, end - start);
            start = end;
            if (!name.StartsWith("user."u8)) continue;
            value ??= new byte[Abi.XATTR_SIZE_MAX];
            nint size;
            fixed (byte* text = name, bytes = value) size = Syscall.Invoke(SystemCall.fgetxattr, held.Number, (nint)text, (nint)bytes, value.Length);
            if (Syscall.Is(size, Errno.ENODATA)) continue; // removed since it was listed
            if (Syscall.IsError(size)) return Tolerated(size);
            nint result = calls.SetAttribute(target, name, value.AsSpan(0, (int)size));
            if (Syscall.IsError(result)) return Tolerated(result);
        }

        return 0;
    }

    private static nint Tolerated(nint result) => Syscall.Is(result, Errno.EOPNOTSUPP) ? 0 : Math.Min(result, 0);
}
