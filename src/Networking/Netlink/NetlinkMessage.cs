using System.Text;
using Isolation.Linux;

namespace Isolation.Networking;

/// <summary>A message to the kernel as it grows (netlink(7)): header, the family's own header, attributes. In the byte order of the machine. Not safe from several threads.</summary>
internal sealed class NetlinkMessage
{
    internal const int HeaderSize = 16, AttributeHeader = 4;

    private byte[] _bytes = new byte[128];
    private int _length = HeaderSize;

    /// <param name="type">Such as RTM_NEWLINK.</param>
    /// <param name="flags">NLM_F_REQUEST is added.</param>
    /// <param name="own">The family's own header, such as an ifinfomsg.</param>
    internal NetlinkMessage(ushort type, ushort flags, ReadOnlySpan<byte> own)
    {
        (Type, Flags) = (type, (ushort)(flags | Abi.NLM_F_REQUEST));
        Append(own);
    }

    internal ushort Type { get; }

    internal ushort Flags { get; set; }

    internal NetlinkMessage Add(ushort type, ReadOnlySpan<byte> value)
    {
        // The kernel's length has 16 bits: what does not fit is refused, and not cut.
        if (value.Length > ushort.MaxValue - AttributeHeader) throw new ArgumentException($"An attribute of netlink has {ushort.MaxValue - AttributeHeader} bytes at most, and not {value.Length}", nameof(value));
        Span<byte> header = stackalloc byte[AttributeHeader];
        BitConverter.TryWriteBytes(header, (ushort)(AttributeHeader + value.Length));
        BitConverter.TryWriteBytes(header[2..], type);
        Append(header);
        Append(value);
        return this;
    }

    internal NetlinkMessage Add(ushort type, uint value) => Add(type, BitConverter.GetBytes(value));

    /// <summary>A text and the zero byte after it.</summary>
    internal NetlinkMessage Add(ushort type, string value) => Add(type, Encoding.UTF8.GetBytes(value + '\0'));

    /// <summary>The whole, which goes out at once.</summary>
    internal ReadOnlySpan<byte> Finish(uint sequence)
    {
        Span<byte> header = _bytes;
        BitConverter.TryWriteBytes(header, (uint)_length);
        BitConverter.TryWriteBytes(header[4..], Type);
        BitConverter.TryWriteBytes(header[6..], Flags);
        BitConverter.TryWriteBytes(header[8..], sequence);
        return _bytes.AsSpan(0, _length);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        int padded = (bytes.Length + 3) & ~3;
        if (_length + padded > _bytes.Length) Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, _length + padded));
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += padded;
    }
}
