using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>
/// Pairs of descriptors, and reading and writing them. The <c>Try</c> forms return the count or <c>-errno</c>, for those
/// to whom EAGAIN or EPIPE is an answer; the others throw. All are tried again when a signal interrupts them, all are
/// safe from any thread, and none allocates on success (but for the pairs themselves).
/// </summary>
internal static unsafe partial class Descriptors
{
    /// <param name="flags">O_NONBLOCK and the like; O_CLOEXEC is added.</param>
    /// <exception cref="LinuxException">No descriptor is left.</exception>
    internal static (FileDescriptor Read, FileDescriptor Write) Pipe(int flags = 0)
    {
        int* ends = stackalloc int[2];
        Syscall.Check(Syscall.pipe2(ends, flags | Abi.O_CLOEXEC), "pipe2");
        return (new FileDescriptor(ends[0]), new FileDescriptor(ends[1]));
    }

    /// <summary>Two connected Unix sockets without a name.</summary>
    /// <param name="type">SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM, with SOCK_NONBLOCK if wanted; SOCK_CLOEXEC is added.</param>
    /// <exception cref="LinuxException">No descriptor is left, or the type is none.</exception>
    internal static (FileDescriptor First, FileDescriptor Second) SocketPair(int type)
    {
        int* ends = stackalloc int[2];
        Syscall.Check(Syscall.socketpair(Abi.AF_UNIX, type | Abi.SOCK_CLOEXEC, 0, ends), "socketpair", $"AF_UNIX, {type}");
        return (new FileDescriptor(ends[0]), new FileDescriptor(ends[1]));
    }

    /// <summary>A second descriptor of the same open file, which has a number and a lifetime of its own.</summary>
    /// <exception cref="LinuxException">No descriptor is left.</exception>
    internal static FileDescriptor Duplicate(SafeHandle descriptor)
    {
        using var held = descriptor.Hold();
        nint result = Syscall.fcntl(held.Number, Abi.F_DUPFD_CLOEXEC);
        return new FileDescriptor((int)Syscall.Check(result, "fcntl", $"{held.Number}, F_DUPFD_CLOEXEC"));
    }

    /// <summary>
    /// The file of an O_PATH descriptor, opened for use. What is opened is what was looked at: no name is resolved again.
    /// </summary>
    /// <exception cref="LinuxException">It cannot be opened so; ENOENT where /proc is not mounted, ESTALE where it lies.</exception>
    internal static FileDescriptor Reopen(SafeHandle pathDescriptor, int flags)
    {
        using var held = pathDescriptor.Hold();
        var file = FileDescriptor.Open($"/proc/self/fd/{held.Number}", flags & ~TargetAbi.Current.O_NOFOLLOW);
        if (FileStatus.Of(file).IsSameFile(FileStatus.Of(pathDescriptor))) return file;
        file.Dispose();
        throw new LinuxException("openat", $"\"/proc/self/fd/{held.Number}\"", Errno.ESTALE, "/proc is not this process's procfs: something is mounted over it.");
    }

    internal static nint TryRead(SafeHandle descriptor, Span<byte> buffer)
    {
        using var held = descriptor.Hold();
        fixed (byte* bytes = buffer) return Syscall.read(held.Number, bytes, (nuint)buffer.Length);
    }

    /// <returns>The number of bytes read; 0 at the end, and for an empty buffer.</returns>
    /// <exception cref="LinuxException">The call failed, EAGAIN of a non-blocking descriptor included.</exception>
    internal static int Read(SafeHandle descriptor, Span<byte> buffer) =>
        (int)Syscall.Check(TryRead(descriptor, buffer), "read", $"{descriptor.DangerousGetHandle()}, {buffer.Length} bytes");

    internal static nint TryReadAt(SafeHandle descriptor, Span<byte> buffer, long offset)
    {
        using var held = descriptor.Hold();
        fixed (byte* bytes = buffer) return Syscall.pread(held.Number, bytes, (nuint)buffer.Length, offset);
    }

    /// <inheritdoc cref="Read"/>
    internal static int ReadAt(SafeHandle descriptor, Span<byte> buffer, long offset) =>
        (int)Syscall.Check(TryReadAt(descriptor, buffer, offset), "pread64", $"{descriptor.DangerousGetHandle()}, {buffer.Length} bytes, offset {offset}");

    /// <summary>How many bytes of a pipe can be read now (pipe(7), FIONREAD).</summary>
    /// <exception cref="LinuxException">It is no pipe, socket or terminal.</exception>
    internal static int Readable(SafeHandle descriptor)
    {
        using var held = descriptor.Hold();
        int count = 0;
        Syscall.Check(Syscall.Invoke(SystemCall.ioctl, held.Number, Abi.FIONREAD, (nint)(&count)), "ioctl", $"{held.Number}, FIONREAD");
        return count;
    }

    internal static nint TryWrite(SafeHandle descriptor, ReadOnlySpan<byte> bytes)
    {
        using var held = descriptor.Hold();
        fixed (byte* start = bytes) return Syscall.write(held.Number, start, (nuint)bytes.Length);
    }

    /// <returns>The number of bytes written, which may be less than given.</returns>
    /// <exception cref="LinuxException">The call failed, EAGAIN of a non-blocking descriptor included.</exception>
    internal static int Write(SafeHandle descriptor, ReadOnlySpan<byte> bytes) =>
        (int)Syscall.Check(TryWrite(descriptor, bytes), "write", $"{descriptor.DangerousGetHandle()}, {bytes.Length} bytes");

    /// <summary>Writes until nothing is left; for blocking descriptors.</summary>
    /// <exception cref="LinuxException">A write failed; an unknown part before it has been written.</exception>
    internal static void WriteAll(SafeHandle descriptor, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0) bytes = bytes[Write(descriptor, bytes)..];
    }
}
