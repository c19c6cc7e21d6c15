using System.Text;
using Isolation.Linux;

namespace Isolation.Networking;

/// <summary>One message of the kernel's. Lengths are checked: what does not fit into what came is an error, wherever it came from.</summary>
/// <param name="Type">Such as RTM_NEWADDR, or NLMSG_ERROR.</param>
/// <param name="Flags">NLM_F_….</param>
/// <param name="Sequence">Of the request that it answers.</param>
/// <param name="Payload">What comes after the header.</param>
internal readonly record struct NetlinkReply(ushort Type, ushort Flags, uint Sequence, ReadOnlyMemory<byte> Payload)
{
    /// <summary>The messages of one datagram.</summary>
    /// <exception cref="InvalidDataException">A length is wrong.</exception>
    internal static IEnumerable<NetlinkReply> Parse(ReadOnlyMemory<byte> datagram)
    {
        while (datagram.Length > 0)
        {
            if (datagram.Length < NetlinkMessage.HeaderSize) throw Wrong("a header", datagram.Length);
            uint length = BitConverter.ToUInt32(datagram.Span);
            if (length < NetlinkMessage.HeaderSize || length > datagram.Length) throw Wrong($"a message of {length} bytes", datagram.Length);
            ReadOnlySpan<byte> header = datagram.Span;
            yield return new(BitConverter.ToUInt16(header[4..]), BitConverter.ToUInt16(header[6..]), BitConverter.ToUInt32(header[8..]), datagram[NetlinkMessage.HeaderSize..(int)length]);
            datagram = datagram[(int)Math.Min((length + 3) & ~3u, (uint)datagram.Length)..];
        }
    }

    /// <summary>The attributes after the family's own header, the last of each type.</summary>
    /// <param name="own">How long that header is.</param>
    /// <exception cref="InvalidDataException">A length is wrong.</exception>
    internal Dictionary<ushort, ReadOnlyMemory<byte>> Attributes(int own)
    {
        Dictionary<ushort, ReadOnlyMemory<byte>> attributes = [];
        ReadOnlyMemory<byte> left = Own(own).Length == own ? Payload[own..] : default;
        while (left.Length >= NetlinkMessage.AttributeHeader)
        {
            ushort length = BitConverter.ToUInt16(left.Span), type = BitConverter.ToUInt16(left.Span[2..]);
            if (length < NetlinkMessage.AttributeHeader || length > left.Length) throw Wrong($"an attribute of {length} bytes", left.Length);
            attributes[(ushort)(type & ~(Abi.NLA_F_NESTED | Abi.NLA_F_NET_BYTEORDER))] = left[NetlinkMessage.AttributeHeader..length];
            left = left[Math.Min((length + 3) & ~3, left.Length)..];
        }

        return attributes;
    }

    /// <summary>The family's own header.</summary>
    /// <exception cref="InvalidDataException">The message is shorter.</exception>
    internal ReadOnlySpan<byte> Own(int size) => Payload.Length >= size ? Payload.Span[..size] : throw Wrong($"a header of {size} bytes", Payload.Length);

    /// <summary>What the kernel says in words of why it refuses, where it does (NETLINK_EXT_ACK); of an answer that is an error.</summary>
    internal string? Words()
    {
        if ((Flags & Abi.NLM_F_ACK_TLVS) == 0) return null;

        // After the errno is the request: its header alone, or all of it.
        int request = sizeof(int) + ((Flags & Abi.NLM_F_CAPPED) != 0 ? NetlinkMessage.HeaderSize : (int)Math.Min(int.MaxValue - 8, (BitConverter.ToUInt32(Own(2 * sizeof(int))[sizeof(int)..]) + 3) & ~3u));
        return Attributes(request).TryGetValue(Abi.NLMSGERR_ATTR_MSG, out ReadOnlyMemory<byte> words) ? Encoding.UTF8.GetString(words.Span).TrimEnd('\0') : null;
    }

    private static InvalidDataException Wrong(string what, int there) => new($"The kernel's answer is damaged: {what}, and {there} bytes are there.");
}
