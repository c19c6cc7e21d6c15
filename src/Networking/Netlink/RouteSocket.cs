using System.Globalization;
using Isolation.Linux;

namespace Isolation.Networking;

/// <summary>
/// Asks one network namespace about its interfaces and addresses, and changes them (rtnetlink(7)). It stays with the namespace in which it was opened. It hears the
/// kernel alone: whoever else has a right to that namespace could write to it otherwise. Not safe from several threads.
/// </summary>
internal sealed class RouteSocket : IDisposable
{
    private const int Longest = 1 << 16; // the kernel's dumps are in pieces of 32 KiB at most
    private const int Tries = 10;

    private readonly FileDescriptor _socket;
    private readonly byte[] _buffer = new byte[Longest];
    private uint _sequence;

    private RouteSocket(FileDescriptor socket) => _socket = socket;

    /// <summary>In the network namespace of the calling thread.</summary>
    /// <exception cref="LinuxException">The kernel has no netlink, or no descriptor is left.</exception>
    internal static RouteSocket Open()
    {
        FileDescriptor socket = Sockets.Open(Abi.AF_NETLINK, Abi.SOCK_RAW, Abi.NETLINK_ROUTE);
        try
        {
            Span<byte> kernel = stackalloc byte[12]; // sockaddr_nl of port 0
            BitConverter.TryWriteBytes(kernel, (ushort)Abi.AF_NETLINK);
            Sockets.Connect(socket, kernel);

            // Both only make errors better.
            Sockets.TrySetOption(socket, Abi.SOL_NETLINK, Abi.NETLINK_EXT_ACK, 1);
            Sockets.TrySetOption(socket, Abi.SOL_NETLINK, Abi.NETLINK_CAP_ACK, 1);
            return new(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>In another network namespace, which a thread of its own enters and ends in.</summary>
    /// <exception cref="LinuxException">It may not be entered: that takes CAP_SYS_ADMIN in the user namespaces that own both.</exception>
    internal static RouteSocket OpenIn(FileDescriptor networkNamespace)
    {
        RouteSocket? opened = null;
        Exception? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                using var held = networkNamespace.Hold();
                Syscall.Check(Syscall.Invoke(SystemCall.setns, held.Number, (nint)Abi.CLONE_NEWNET), "setns", "the network namespace");
                opened = Open();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        })
        { IsBackground = true, Name = "isolation-net" };
        thread.Start();
        thread.Join();
        return opened ?? throw (failure as LinuxException ?? new LinuxException("setns", "the network namespace", Errno.EIO, failure?.Message));
    }

    /// <summary>Has the kernel do something.</summary>
    /// <param name="message">What.</param>
    /// <param name="what">The same in words, for the error: <c>RTM_NEWLINK</c>, <c>eth0</c>.</param>
    /// <exception cref="LinuxException">It refuses.</exception>
    internal void Request(NetlinkMessage message, string what)
    {
        message.Flags |= Abi.NLM_F_ACK;
        foreach (NetlinkReply reply in Ask(message, what))
            if (reply.Type == Abi.NLMSG_ERROR) return;
    }

    /// <summary>Asks for all that there is of a kind. What changes while it is told is asked for again.</summary>
    /// <exception cref="LinuxException">The kernel refuses.</exception>
    internal List<NetlinkReply> Dump(Func<NetlinkMessage> message, string what)
    {
        for (int tries = 1; ; tries++)
        {
            List<NetlinkReply> replies = [.. Ask(message(), what)];
            if (!replies.Exists(reply => (reply.Flags & Abi.NLM_F_DUMP_INTR) != 0)) return [.. replies.Where(reply => reply.Type != Abi.NLMSG_DONE)];
            if (tries == Tries) throw new LinuxException(Name(message()), what, Errno.EINTR, "The list changes all the time");
        }
    }

    /// <summary>The one answer to a question.</summary>
    /// <exception cref="LinuxException">The kernel refuses.</exception>
    internal NetlinkReply AskOne(NetlinkMessage message, string what) => Ask(message, what).First();

    public void Dispose() => _socket.Dispose();

    /// <summary>The answers, up to the one that is the last.</summary>
    private IEnumerable<NetlinkReply> Ask(NetlinkMessage message, string what)
    {
        uint sequence = ++_sequence;
        bool dumps = (message.Flags & Abi.NLM_F_DUMP) == Abi.NLM_F_DUMP;
        Descriptors.Write(_socket, message.Finish(sequence));
        while (true)
        {
            int count = Descriptors.Read(_socket, _buffer);
            foreach (NetlinkReply reply in NetlinkReply.Parse(_buffer.AsSpan(0, count).ToArray()))
            {
                if (reply.Sequence != sequence) continue; // of a question whose answer nobody read to its end
                if (reply.Type is Abi.NLMSG_ERROR or Abi.NLMSG_DONE)
                {
                    int errno = -BitConverter.ToInt32(reply.Own(sizeof(int)));
                    if (errno != 0) throw new LinuxException(Name(message), what, (Errno)errno, reply.Words() is { } words ? $"The kernel says: {words}" : null);
                    yield return reply;
                    yield break;
                }

                yield return reply;
                if (!dumps && (message.Flags & Abi.NLM_F_ACK) == 0) yield break;
            }
        }
    }

    private static string Name(NetlinkMessage message) => message.Type switch
    {
        Abi.RTM_NEWLINK => "RTM_NEWLINK",
        Abi.RTM_GETLINK => "RTM_GETLINK",
        Abi.RTM_NEWADDR => "RTM_NEWADDR",
        Abi.RTM_GETADDR => "RTM_GETADDR",
        _ => message.Type.ToString(CultureInfo.InvariantCulture),
    };
}
