using Tmds.Linux;

namespace Isolation.Linux;

/// <summary>
/// The calls that Tmds.LibC binds, under their own names. Those that can sleep are tried again when a signal interrupts
/// them; <c>close</c> never is. The rest goes through <see cref="Invoke"/>.
/// </summary>
internal static unsafe partial class Syscall
{
    internal static nint close(int fd)
    {
        nint result = Result(LibC.close(fd));
        return Fails(SystemCall.close, out nint fault) ? fault : result;
    }

    internal static nint epoll_create1(int flags) => Fails(SystemCall.epoll_create1, out nint fault) ? fault : Result(LibC.epoll_create1(flags));

    /// <summary>The entry is a <c>struct epoll_event</c> as <see cref="EpollEvent"/> writes it.</summary>
    internal static nint epoll_ctl(int epoll, int operation, int fd, byte* entry) =>
        Fails(SystemCall.epoll_ctl, out nint fault) ? fault : Result(LibC.epoll_ctl(epoll, operation, fd, (Tmds.Linux.epoll_event*)entry));

    /// <summary>Waits without end; -EINTR is the caller's to see.</summary>
    internal static nint epoll_wait(int epoll, byte* entries, int count) =>
        Fails(SystemCall.epoll_pwait, out nint fault) ? fault : Result(LibC.epoll_wait(epoll, (Tmds.Linux.epoll_event*)entries, count, -1));

    internal static nint fcntl(int fd, int command, int argument = 0) => Fails(SystemCall.fcntl, out nint fault) ? fault : Result(LibC.fcntl(fd, command, argument));

    internal static nint mkdirat(int directory, byte* path, uint mode) => Fails(SystemCall.mkdirat, out nint fault) ? fault : Result(LibC.mkdirat(directory, path, (ushort)mode));

    internal static nint openat(int directory, byte* path, int flags, uint mode = 0)
    {
        nint result;
        do result = Fails(SystemCall.openat, out nint fault) ? fault : Result(LibC.openat(directory, path, flags, (ushort)mode));
        while (Is(result, Errno.EINTR));
        return result;
    }

    internal static nint pipe2(int* ends, int flags) => Fails(SystemCall.pipe2, out nint fault) ? fault : Result(LibC.pipe2(ends, flags));

    internal static nint pread(int fd, void* buffer, nuint length, long offset)
    {
        nint result;
        do result = Fails(SystemCall.pread64, out nint fault) ? fault : Result(LibC.pread(fd, buffer, (size_t)(ulong)length, offset));
        while (Is(result, Errno.EINTR));
        return result;
    }

    internal static nint read(int fd, void* buffer, nuint length)
    {
        nint result;
        do result = Fails(SystemCall.read, out nint fault) ? fault : Result(LibC.read(fd, buffer, (size_t)(ulong)length));
        while (Is(result, Errno.EINTR));
        return result;
    }

    internal static nint readlinkat(int directory, byte* path, byte* buffer, nuint length) =>
        Fails(SystemCall.readlinkat, out nint fault) ? fault : Result(LibC.readlinkat(directory, path, buffer, (size_t)(ulong)length));

    internal static nint socketpair(int family, int type, int protocol, int* ends) =>
        Fails(SystemCall.socketpair, out nint fault) ? fault : Result(LibC.socketpair(family, type, protocol, ends));

    internal static nint write(int fd, void* buffer, nuint length)
    {
        nint result;
        do result = Fails(SystemCall.write, out nint fault) ? fault : Result(LibC.write(fd, buffer, (size_t)(ulong)length));
        while (Is(result, Errno.EINTR));
        return result;
    }
}
