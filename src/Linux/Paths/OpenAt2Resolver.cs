using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>Resolution by the kernel. Returns descriptors or <c>-errno</c>.</summary>
internal static unsafe class OpenAt2Resolver
{
    // The kernel answers EAGAIN when any directory of the machine was renamed or mounted on while it went through "..":
    // it cannot tell whether that concerned us. Under constant renaming elsewhere many attempts fail for nothing.
    private const int MaxAttempts = 64;

    private static readonly Lazy<bool> Probed = new(Probe);

    /// <summary>Whether this process may use the call; asked once. Filters older than the call answer ENOSYS or EPERM.</summary>
    internal static bool Works => Probed.Value;

    /// <param name="root">A directory.</param>
    /// <param name="path">Ended by a NUL, which the span need not include.</param>
    /// <param name="flags">As for openat; O_CLOEXEC is added.</param>
    /// <param name="mode">Only beside O_CREAT.</param>
    internal static nint TryOpen(int root, ReadOnlySpan<byte> path, int flags, uint mode)
    {
        nint result = 0;
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            result = Call(root, path, flags, mode);
            if (!Syscall.Is(result, Errno.EAGAIN)) return result;
        }
        return result;
    }

    /// <summary>Opens a path of the host no part of which is a symbolic link.</summary>
    /// <exception cref="LinuxException">ELOOP where one is.</exception>
    internal static FileDescriptor OpenWithoutLinks(string path, int flags)
    {
        using NativePath name = new(path);
        return new((int)Syscall.Check(Call(Abi.AT_FDCWD, MemoryMarshal.CreateReadOnlySpan(in name.GetPinnableReference(), name.Bytes.Length + 1), flags, 0, Abi.RESOLVE_NO_SYMLINKS), "openat2", $"\"{path}\", RESOLVE_NO_SYMLINKS"));
    }

    private static nint Call(int root, ReadOnlySpan<byte> path, int flags, uint mode, ulong resolve = Abi.RESOLVE_IN_ROOT | Abi.RESOLVE_NO_MAGICLINKS)
    {
        open_how how = new()
        {
            flags = (uint)(flags | Abi.O_CLOEXEC),
            mode = mode,
            resolve = resolve,
        };
        fixed (byte* name = &MemoryMarshal.GetReference(path))
            return Syscall.InvokeRetrying(SystemCall.openat2, root, (nint)name, (nint)(&how), sizeof(open_how));
    }

    private static bool Probe()
    {
        nint result = Call(Abi.AT_FDCWD, "/"u8, Abi.O_PATH, 0);
        if (!Syscall.IsError(result)) Syscall.close((int)result);
        return !Syscall.Is(result, Errno.ENOSYS) && !Syscall.Is(result, Errno.EPERM);
    }
}
