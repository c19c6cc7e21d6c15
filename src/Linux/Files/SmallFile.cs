using System.Text;

namespace Isolation.Linux;

/// <summary>Files of the kernel's, and lists such as /etc/subuid: read whole and at once, without the buffers of a stream and without an exception where there is none.</summary>
internal static unsafe class SmallFile
{
    private const int StackBytes = 4096, Longest = 1 << 26;

    /// <returns>What it says, as UTF-8; nothing where it cannot be read.</returns>
    internal static string ReadText(string path)
    {
        using NativePath name = new(path);
        nint opened;
        fixed (byte* bytes = name) opened = Syscall.openat(Abi.AT_FDCWD, bytes, Abi.O_RDONLY | Abi.O_CLOEXEC, 0);
        if (Syscall.IsError(opened)) return "";
        using FileDescriptor file = new((int)opened);
        Span<byte> buffer = stackalloc byte[StackBytes];
        for (int length = 0; ;)
        {
            nint count = Descriptors.TryRead(file, buffer[length..]);
            if (Syscall.Is(count, Errno.EINTR)) continue;
            if (Syscall.IsError(count)) return "";
            if (count == 0) return Encoding.UTF8.GetString(buffer[..length]);
            length += (int)count;
            if (length < buffer.Length) continue;
            if (length >= Longest) return "";
            byte[] larger = new byte[2 * length];
            buffer.CopyTo(larger);
            buffer = larger;
        }
    }
}
