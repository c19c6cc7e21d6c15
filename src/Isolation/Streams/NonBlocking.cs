using Isolation.Linux;

namespace Isolation;

/// <summary>O_NONBLOCK on this side's end of a pipe. It belongs to the open file, so the container's end keeps blocking.</summary>
internal static class NonBlocking
{
    internal static void Set(FileDescriptor descriptor)
    {
        nint flags = Syscall.Check(Syscall.fcntl(descriptor.Number, Abi.F_GETFL), "fcntl", "F_GETFL");
        Syscall.Check(Syscall.fcntl(descriptor.Number, Abi.F_SETFL, (int)flags | Abi.O_NONBLOCK), "fcntl", "F_SETFL, O_NONBLOCK");
    }
}
