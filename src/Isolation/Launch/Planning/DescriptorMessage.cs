using System.Buffers.Binary;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>
/// Sends a descriptor to the host over the channel (unix(7), SCM_RIGHTS). What it is the host knows by the length of the
/// message, as with every other.
/// </summary>
internal sealed class DescriptorMessage
{
    /// <summary>Lengths: a pidfd of the program that an init has started, the master of a terminal, the writable layer, and who hears of filtered calls.</summary>
    internal const int ProgramSize = 2, TerminalSize = 3, LayerSize = 4, ListenerSize = 5;

    private const int DescriptorOffset = 16; // behind struct cmsghdr
    private readonly Slot _control;
    private readonly Slot _header;

    internal DescriptorMessage(int size)
    {
        byte[] control = new byte[24];
        BinaryPrimitives.WriteInt64LittleEndian(control, DescriptorOffset + 4); // cmsg_len
        BinaryPrimitives.WriteInt32LittleEndian(control.AsSpan(8), SOL_SOCKET);
        BinaryPrimitives.WriteInt32LittleEndian(control.AsSpan(12), SCM_RIGHTS);
        _control = new("descriptor to send", control.Length) { Initial = control };

        byte[] vector = new byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(vector.AsSpan(8), size);
        Slot payload = new("payload", 8), iovec = new("iovec", vector.Length) { Initial = vector, Pointers = [(0, payload)] };

        byte[] header = new byte[56]; // struct msghdr
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), 1);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(40), control.Length);
        _header = new("message with descriptor", header.Length) { Initial = header, Pointers = [(16, iovec), (32, _control)] };
    }

    /// <summary>Keeps the result of a step as the descriptor to send, besides its own slot.</summary>
    internal LaunchStep Take(LaunchStep step) => step.Into(_control, DescriptorOffset);

    /// <summary>The descriptor as an operand of later steps.</summary>
    internal Operand Descriptor => Operand.Within(_control, DescriptorOffset);

    /// <summary>Where a call is to put the descriptor itself.</summary>
    internal Operand Address => Operand.AddressOf(_control, DescriptorOffset);

    internal void Send(PlanWriter writer) => Send(writer, writer.Channel);

    internal void Send(PlanWriter writer, Operand socket, int flags = 0) => writer.Call(sendmsg, socket, Operand.AddressOf(_header), flags);
}
