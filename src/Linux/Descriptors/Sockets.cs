namespace Isolation.Linux;

/// <summary>Sockets of families that System.Net has none of.</summary>
internal static unsafe class Sockets
{
    /// <param name="family">AF_NETLINK.</param>
    /// <param name="type">SOCK_CLOEXEC is added.</param>
    /// <param name="protocol">Of the family.</param>
    /// <exception cref="LinuxException">The kernel has no such, or no descriptor is left.</exception>
    internal static FileDescriptor Open(int family, int type, int protocol) =>
        new((int)Syscall.Check(Syscall.Invoke(SystemCall.socket, family, type | Abi.SOCK_CLOEXEC, protocol), "socket", $"{family}, {type}, {protocol}"));

    /// <summary>Whom it sends to, and hears: nobody else.</summary>
    /// <exception cref="LinuxException">It cannot.</exception>
    internal static void Connect(FileDescriptor socket, ReadOnlySpan<byte> address)
    {
        using var held = socket.Hold();
        fixed (byte* bytes = address) Syscall.Check(Syscall.Invoke(SystemCall.connect, held.Number, (nint)bytes, address.Length), "connect", $"{held.Number}");
    }

    /// <returns>0, or -errno.</returns>
    internal static nint TrySetOption(FileDescriptor socket, int level, int option, int value)
    {
        using var held = socket.Hold();
        return Syscall.Invoke(SystemCall.setsockopt, held.Number, level, option, (nint)(&value), sizeof(int));
    }
}
