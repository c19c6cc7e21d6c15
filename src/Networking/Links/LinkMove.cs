using System.Text;
using Isolation.Linux;

namespace Isolation.Networking;

/// <summary>Moves an interface of this thread's network namespace into another, with the addresses that it was given for good: the kernel takes those off.</summary>
internal static class LinkMove
{
    private const int LinkHeader = 16, AddressHeader = 8; // ifinfomsg, ifaddrmsg

    /// <summary>Whether the kernel takes it as an interface's name (dev_valid_name in net/core/dev.c).</summary>
    internal static bool IsName(string name) =>
        name.Length > 0 && name is not ("." or "..") && Encoding.UTF8.GetByteCount(name) < Abi.IFNAMSIZ && !name.Any(letter => letter is '/' or ':' or '\0' || char.IsWhiteSpace(letter));

    /// <summary>All or none: what was moved goes back when a later one cannot. There they are up, whatever they were here.</summary>
    /// <param name="links">The name here, and the name there.</param>
    /// <param name="target">The other network namespace.</param>
    /// <exception cref="LinuxException">There is none of the name, or one of the new name is there, or it may not be moved.</exception>
    internal static void Move(IEnumerable<(string Name, string NewName)> links, FileDescriptor target)
    {
        using RouteSocket here = RouteSocket.Open(), there = RouteSocket.OpenIn(target);
        using FileDescriptor own = FileDescriptor.Open("/proc/thread-self/ns/net", Abi.O_RDONLY);
        List<(string Name, string NewName, Settings Was)> moved = [];
        try
        {
            foreach ((string name, string newName) in links)
            {
                Settings was = Read(here, name);
                Move(here, name, there, target, newName);
                moved.Add((name, newName, was));
                Settle(there, newName, was with { IsUp = true }, name);
            }
        }
        catch
        {
            foreach ((string name, string newName, Settings was) in moved.AsEnumerable().Reverse())
            {
                try
                {
                    Move(there, newName, here, own, name);
                    Settle(here, name, was, name);
                }
                catch (LinuxException)
                {
                    // What failed first is told; a physical one comes back by itself when the namespace ends.
                }
            }

            throw;
        }
    }

    /// <summary>What the kernel takes off an interface that it moves.</summary>
    private static Settings Read(RouteSocket socket, string name)
    {
        (int index, uint flags) = Find(socket, name);
        List<NetlinkReply> all = socket.Dump(() => new(Abi.RTM_GETADDR, Abi.NLM_F_DUMP, new byte[AddressHeader]), name);
        return new((flags & Abi.IFF_UP) != 0, [.. all.Where(address => BitConverter.ToInt32(address.Own(AddressHeader)[4..]) == index)]);
    }

    private static void Move(RouteSocket from, string name, RouteSocket to, FileDescriptor target, string newName)
    {
        // The kernel moves it first and renames it then, and would leave it there under its old name.
        if (Has(to, newName)) throw new LinuxException("RTM_NEWLINK", $"\"{name}\" to another network namespace, as \"{newName}\"", Errno.EEXIST, "There is an interface of that name: choose another");
        using var held = target.Hold();
        from.Request(new NetlinkMessage(Abi.RTM_NEWLINK, 0, Link(Find(from, name).Index, 0, 0)).Add(Abi.IFLA_NET_NS_FD, (uint)held.Number).Add(Abi.IFLA_IFNAME, newName), $"\"{name}\" to another network namespace, as \"{newName}\"");
    }

    private static void Settle(RouteSocket socket, string name, Settings settings, string oldName)
    {
        int index = Find(socket, name).Index;
        foreach (NetlinkReply address in settings.Addresses) Give(socket, address, index, name, oldName);
        socket.Request(new(Abi.RTM_NEWLINK, 0, Link(index, settings.IsUp ? (uint)Abi.IFF_UP : 0, (uint)Abi.IFF_UP)), $"\"{name}\" {(settings.IsUp ? "up" : "down")}");
    }

    private static bool Has(RouteSocket socket, string name)
    {
        try
        {
            Find(socket, name);
            return true;
        }
        catch (LinuxException exception) when (exception.Errno == Errno.ENODEV)
        {
            return false;
        }
    }

    private static (int Index, uint Flags) Find(RouteSocket socket, string name)
    {
        ReadOnlySpan<byte> link = socket.AskOne(new NetlinkMessage(Abi.RTM_GETLINK, 0, new byte[LinkHeader]).Add(Abi.IFLA_IFNAME, name), $"\"{name}\"").Own(LinkHeader);
        return (BitConverter.ToInt32(link[4..]), BitConverter.ToUInt32(link[8..]));
    }

    /// <summary>An address as it was, where it was given for good and means the same everywhere; the kernel makes the others by itself.</summary>
    private static void Give(RouteSocket to, NetlinkReply address, int index, string name, string oldName)
    {
        ReadOnlySpan<byte> was = address.Own(AddressHeader);
        Dictionary<ushort, ReadOnlyMemory<byte>> attributes = address.Attributes(AddressHeader);
        uint flags = attributes.TryGetValue(Abi.IFA_FLAGS, out ReadOnlyMemory<byte> all) && all.Length == sizeof(uint) ? BitConverter.ToUInt32(all.Span) : was[2];
        if ((flags & Abi.IFA_F_PERMANENT) == 0 || was[3] != Abi.RT_SCOPE_UNIVERSE) return;
        byte[] header = was.ToArray();
        BitConverter.TryWriteBytes(header.AsSpan(4), index);

        // It was its own already: nobody need be asked whether he has it.
        NetlinkMessage message = new NetlinkMessage(Abi.RTM_NEWADDR, Abi.NLM_F_CREATE | Abi.NLM_F_EXCL, header).Add(Abi.IFA_FLAGS, flags & (Abi.IFA_F_PERMANENT | Abi.IFA_F_NODAD) | Abi.IFA_F_NODAD);
        foreach (ushort type in (ReadOnlySpan<ushort>)[Abi.IFA_ADDRESS, Abi.IFA_LOCAL, Abi.IFA_BROADCAST])
            if (attributes.TryGetValue(type, out ReadOnlyMemory<byte> value)) message.Add(type, value.Span);

        // A label begins with the interface's name (devinet_conf in net/ipv4/devinet.c tells them apart by it).
        if (attributes.TryGetValue(Abi.IFA_LABEL, out ReadOnlyMemory<byte> label) && Encoding.UTF8.GetString(label.Span).TrimEnd('\0') is var text && text.StartsWith(oldName, StringComparison.Ordinal)
            && name + text[oldName.Length..] is { Length: < Abi.IFNAMSIZ } renamed)
            message.Add(Abi.IFA_LABEL, renamed);
        to.Request(message, $"an address of \"{name}\"");
    }

    private static byte[] Link(int index, uint flags, uint change)
    {
        byte[] header = new byte[LinkHeader];
        BitConverter.TryWriteBytes(header.AsSpan(4), index);
        BitConverter.TryWriteBytes(header.AsSpan(8), flags);
        BitConverter.TryWriteBytes(header.AsSpan(12), change);
        return header;
    }

    private sealed record Settings(bool IsUp, List<NetlinkReply> Addresses);
}
