using Isolation.Linux;

namespace Isolation.Launch;

/// <summary>Whether this kernel, and the filter this process is under, has a system call: asked by calling it with operands that change nothing.</summary>
internal static unsafe class KernelProbe
{
    internal static bool HasOpenAt2()
    {
        ulong* how = stackalloc ulong[3] { (uint)(Abi.O_PATH | Abi.O_CLOEXEC), 0, Abi.RESOLVE_IN_ROOT };
        fixed (byte* path = "/\0"u8)
        {
            nint result = Syscall.Invoke(SystemCall.openat2, Abi.AT_FDCWD, (nint)path, (nint)how, 24);
            if (Syscall.IsError(result)) return false;
            Syscall.close((int)result);
            return true;
        }
    }

    // Flags that do not exist: EINVAL from a kernel that has the call.
    internal static bool HasMountSetAttr() => Syscall.Is(Syscall.Invoke(SystemCall.mount_setattr, -1, 0, 0x40000000, 0, 0), Errno.EINVAL);

    internal static int LandlockVersion() => Math.Max(0, (int)Syscall.Invoke(SystemCall.landlock_create_ruleset, 0, 0, Abi.LANDLOCK_CREATE_RULESET_VERSION));

    // A range above every descriptor.
    internal static bool HasCloseRangeCloexec() =>
        Syscall.Invoke(SystemCall.close_range, unchecked((nint)uint.MaxValue), unchecked((nint)uint.MaxValue), (nint)Abi.CLOSE_RANGE_CLOEXEC) == 0;
}
