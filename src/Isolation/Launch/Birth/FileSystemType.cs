using Isolation.Linux;

namespace Isolation.Launch;

/// <summary>statfs(2): the type of the file system that a descriptor is on.</summary>
internal static unsafe class FileSystemType
{
    internal static long Of(FileDescriptor descriptor)
    {
        // struct statfs is 120 bytes on 64-bit machines and begins with f_type.
        long* buffer = stackalloc long[16];
        Syscall.Check(Syscall.Invoke(SystemCall.fstatfs, descriptor.Number, (nint)buffer), "fstatfs");
        return buffer[0];
    }
}
