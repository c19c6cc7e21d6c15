using System.Text;

namespace Isolation.Linux;

/// <summary>Reading small files that somebody else wrote: etc/passwd of an image, its os-release.</summary>
internal static partial class ContainedPath
{
    /// <summary>
    /// The whole of a regular file. Anything else is refused without being opened for use: to open a FIFO may wait for
    /// ever, and to open a device may do something.
    /// </summary>
    /// <param name="root">A directory.</param>
    /// <param name="path">In the root.</param>
    /// <param name="maxBytes">A larger file is refused, after no more than this was read.</param>
    /// <param name="resolver">To force one.</param>
    /// <exception cref="LinuxException">
    /// The file cannot be opened or read. In the kernel's words, though it is this library that refuses: EFBIG for a file
    /// larger than allowed, EISDIR for a directory, EINVAL for another kind of file.
    /// </exception>
    internal static byte[] ReadAllBytes(FileDescriptor root, string path, int maxBytes, PathResolver resolver = PathResolver.Automatic)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        using var found = Open(root, path, Abi.O_PATH, 0, resolver);
        return ReadFound(found, path, maxBytes);
    }

    /// <summary>As the other, of a file that was found.</summary>
    /// <param name="found">An O_PATH descriptor.</param>
    /// <param name="path">For messages.</param>
    /// <param name="maxBytes">A larger file is refused, after no more than this was read.</param>
    /// <inheritdoc cref="ReadAllBytes"/>
    internal static byte[] ReadFound(FileDescriptor found, string path, int maxBytes)
    {
        var status = FileStatus.Of(found);
        if (status.Type != FileType.Regular)
        {
            throw new LinuxException(
                "read", $"\"{path}\", of type {status.Type}", status.Type == FileType.Directory ? Errno.EISDIR : Errno.EINVAL,
                "Only regular files are read.");
        }
        if (status.Size > maxBytes) throw TooLarge(path, maxBytes);

        using var file = Descriptors.Reopen(found, Abi.O_RDONLY | Abi.O_NOCTTY | Abi.O_NONBLOCK);
        // The size is a hint: files of procfs and sysfs give none, and others may grow meanwhile.
        var buffer = new byte[Math.Min(maxBytes, Math.Max(status.Size, 512)) + 1];
        int length = 0;
        while (true)
        {
            int count = Descriptors.Read(file, buffer.AsSpan(length));
            if (count == 0) break;
            length += count;
            if (length > maxBytes) throw TooLarge(path, maxBytes);
            if (length == buffer.Length) Array.Resize(ref buffer, (int)Math.Min((long)maxBytes + 1, buffer.Length * 2L));
        }
        Array.Resize(ref buffer, length);
        return buffer;
    }

    /// <summary>As <see cref="ReadAllBytes"/>, as UTF-8; what is none becomes U+FFFD.</summary>
    /// <inheritdoc cref="ReadAllBytes"/>
    internal static string ReadAllText(FileDescriptor root, string path, int maxBytes, PathResolver resolver = PathResolver.Automatic) =>
        Encoding.UTF8.GetString(ReadAllBytes(root, path, maxBytes, resolver));

    private static LinuxException TooLarge(string path, int maxBytes) =>
        new("read", $"\"{path}\", at most {maxBytes} bytes", Errno.EFBIG);
}
