using Isolation.Linux;

namespace Isolation.Launch;

/// <summary>statfs(2): of the file system that a descriptor is on, its type and mount flags.</summary>
internal static unsafe class FileSystemType
{
    // struct statfs is 120 bytes on 64-bit machines, all words: f_type is the first, f_flags the eleventh.
    internal static long Of(FileDescriptor descriptor) => Word(descriptor, 0);

    internal static long Flags(FileDescriptor descriptor) => Word(descriptor, 10);

    private static long Word(FileDescriptor descriptor, int index)
    {
        long* buffer = stackalloc long[16];
        Syscall.Check(Syscall.Invoke(SystemCall.fstatfs, descriptor.Number, (nint)buffer), "fstatfs");
        return buffer[index];
    }
}
