using System.Runtime.InteropServices;

namespace Isolation.Linux;

internal static unsafe partial class Descriptors
{
    /// <summary>Receives a message and the descriptor that came with it, if one did (unix(7), SCM_RIGHTS). It is close-on-exec.</summary>
    /// <returns>The number of bytes, 0 at the end, or -errno.</returns>
    /// <param name="socket">A Unix socket.</param>
    /// <param name="buffer">For the message.</param>
    /// <param name="descriptor">The caller's to close.</param>
    /// <exception cref="LinuxException">EMFILE: a descriptor came, and there was none left for it.</exception>
    /// <param name="wait">Whether to block until there is a message.</param>
    internal static nint TryReceive(SafeHandle socket, Span<byte> buffer, out FileDescriptor? descriptor, bool wait = false)
    {
        using var held = socket.Hold();
        descriptor = null;
        ulong* control = stackalloc ulong[3]; // struct cmsghdr: length, level and type, then the descriptor
        new Span<ulong>(control, 3).Clear();
        fixed (byte* bytes = buffer)
        {
            ulong* vector = stackalloc ulong[2] { (ulong)bytes, (ulong)buffer.Length };
            ulong* header = stackalloc ulong[7] { 0, 0, (ulong)vector, 1, (ulong)control, 24, 0 }; // struct msghdr
            nint result = Syscall.InvokeRetrying(SystemCall.recvmsg, held.Number, (nint)header, Abi.MSG_CMSG_CLOEXEC | (wait ? 0 : Abi.MSG_DONTWAIT));
            if (result >= 0 && header[5] >= 20 && control[0] >= 20 && control[1] == (Abi.SOL_SOCKET | (ulong)Abi.SCM_RIGHTS << 32))
                descriptor = new FileDescriptor((int)control[2]);
            else if (result >= 0 && (header[6] & Abi.MSG_CTRUNC) != 0)
                throw Syscall.Failure(-(int)Errno.EMFILE, "recvmsg", "the descriptor that came with a message"); // what the kernel does not say
            return result;
        }
    }

    /// <summary>Sends a message with one descriptor.</summary>
    /// <exception cref="LinuxException">Nobody takes it.</exception>
    internal static void SendDescriptor(SafeHandle socket, SafeHandle descriptor, ReadOnlySpan<byte> bytes)
    {
        using var held = socket.Hold();
        using var sent = descriptor.Hold();
        ulong* control = stackalloc ulong[3] { 20, Abi.SOL_SOCKET | (ulong)Abi.SCM_RIGHTS << 32, (uint)sent.Number };
        fixed (byte* start = bytes)
        {
            ulong* vector = stackalloc ulong[2] { (ulong)start, (ulong)bytes.Length };
            ulong* header = stackalloc ulong[7] { 0, 0, (ulong)vector, 1, (ulong)control, 24, 0 };
            Syscall.Check(Syscall.InvokeRetrying(SystemCall.sendmsg, held.Number, (nint)header, Abi.MSG_NOSIGNAL), "sendmsg", $"{held.Number}, SCM_RIGHTS");
        }
    }

    /// <summary>Sends a message with two descriptors.</summary>
    /// <returns>The number of bytes, or -errno; EPIPE where nobody is at the other end, and no signal.</returns>
    internal static nint TrySend(SafeHandle socket, ReadOnlySpan<byte> bytes, SafeHandle first, SafeHandle second)
    {
        using var held = socket.Hold();
        using var one = first.Hold();
        using var two = second.Hold();
        ulong* control = stackalloc ulong[3] { 24, Abi.SOL_SOCKET | (ulong)Abi.SCM_RIGHTS << 32, (uint)one.Number | (ulong)(uint)two.Number << 32 };
        fixed (byte* start = bytes)
        {
            ulong* vector = stackalloc ulong[2] { (ulong)start, (ulong)bytes.Length };
            ulong* header = stackalloc ulong[7] { 0, 0, (ulong)vector, 1, (ulong)control, 24, 0 };
            return Syscall.InvokeRetrying(SystemCall.sendmsg, held.Number, (nint)header, Abi.MSG_NOSIGNAL);
        }
    }
}
