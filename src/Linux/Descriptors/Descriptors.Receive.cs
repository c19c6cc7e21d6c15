using System.Runtime.InteropServices;

namespace Isolation.Linux;

internal static unsafe partial class Descriptors
{
    /// <summary>Receives a message and the descriptor that came with it, if one did (unix(7), SCM_RIGHTS). It is close-on-exec.</summary>
    /// <returns>The number of bytes, 0 at the end, or -errno.</returns>
    internal static nint TryReceive(SafeHandle socket, Span<byte> buffer, out FileDescriptor? descriptor)
    {
        using var held = socket.Hold();
        descriptor = null;
        ulong* control = stackalloc ulong[3]; // struct cmsghdr: length, level and type, then the descriptor
        new Span<ulong>(control, 3).Clear();
        fixed (byte* bytes = buffer)
        {
            ulong* vector = stackalloc ulong[2] { (ulong)bytes, (ulong)buffer.Length };
            ulong* header = stackalloc ulong[7] { 0, 0, (ulong)vector, 1, (ulong)control, 24, 0 }; // struct msghdr
            nint result = Syscall.InvokeRetrying(SystemCall.recvmsg, held.Number, (nint)header, Abi.MSG_CMSG_CLOEXEC | Abi.MSG_DONTWAIT);
            if (result >= 0 && header[5] >= 20 && control[0] >= 20 && control[1] == (Abi.SOL_SOCKET | (ulong)Abi.SCM_RIGHTS << 32))
                descriptor = new FileDescriptor((int)control[2]);
            return result;
        }
    }
}
