using System.Buffers.Binary;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

internal static class NetworkSteps
{
    /// <summary>netdevice(7): a new network namespace has one interface, lo, and it is down. Up, the kernel gives it 127.0.0.1 and ::1.</summary>
    internal static void RaiseLoopback(PlanWriter writer)
    {
        byte[] request = new byte[40]; // struct ifreq
        "lo"u8.CopyTo(request);
        BinaryPrimitives.WriteInt16LittleEndian(request.AsSpan(16), IFF_UP | IFF_LOOPBACK | IFF_RUNNING);
        writer.For("bring the loopback interface up");
        Slot descriptor = writer.CallInto("socket", socket, Operand.Named(AF_INET, "AF_INET"),
            Operand.Named(SOCK_DGRAM | SOCK_CLOEXEC, "SOCK_DGRAM|SOCK_CLOEXEC"), 0);
        writer.Call(ioctl, descriptor, Operand.Named(SIOCSIFFLAGS, "SIOCSIFFLAGS"), Operand.Bytes(request, "{lo, IFF_UP|IFF_RUNNING}"));
    }
}
