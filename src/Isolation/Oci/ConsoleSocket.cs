using System.Net.Sockets;
using System.Text;
using Isolation.Linux;

namespace Isolation;

/// <summary>Where the master of a terminal is sent to whoever asked for it (runc's docs/terminals.md).</summary>
internal static class ConsoleSocket
{
    /// <exception cref="OciRuntimeException">Nobody takes it.</exception>
    internal static void Send(string path, FileDescriptor master)
    {
        try
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(path));
            Descriptors.SendDescriptor(socket.SafeHandle, master, Encoding.ASCII.GetBytes("/dev/ptmx"));
        }
        catch (Exception exception) when (exception is LinuxException or SocketException)
        {
            throw new OciRuntimeException($"Cannot hand the terminal over to the console socket '{path}': {exception.Message}", exception);
        }
    }
}
