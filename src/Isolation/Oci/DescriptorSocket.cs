using System.Net.Sockets;
using System.Runtime.InteropServices;
using Isolation.Linux;

namespace Isolation;

/// <summary>Hands a descriptor over to whoever listens on a socket: the master of a terminal (runc's docs/terminals.md), the listener of a seccomp filter, or a process.</summary>
internal static class DescriptorSocket
{
    /// <param name="path">Of an AF_UNIX stream socket.</param>
    /// <param name="descriptor">What to hand over; stays the caller's.</param>
    /// <param name="message">What is told with it.</param>
    /// <param name="what">In the words of an error.</param>
    /// <exception cref="OciRuntimeException">Nobody takes it.</exception>
    internal static void Send(string path, SafeHandle descriptor, ReadOnlySpan<byte> message, string what)
    {
        try
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(path));
            Descriptors.SendDescriptor(socket.SafeHandle, descriptor, message);
        }
        catch (Exception exception) when (exception is LinuxException or SocketException or ArgumentException)
        {
            throw new OciRuntimeException($"Cannot hand {what} over to the socket '{path}': {exception.Message}", exception);
        }
    }
}
