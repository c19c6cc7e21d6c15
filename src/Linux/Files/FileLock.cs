using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>
/// flock(2) on an open file or directory. The lock belongs to the open file: it is given up when the last descriptor of
/// it is closed, so it dies with its owner. A forked child holds it too until it executes, where close-on-exec lets go.
/// </summary>
internal static class FileLock
{
    /// <summary>Takes the lock if nobody is in the way; does not wait.</summary>
    /// <exception cref="LinuxException">The file system has no locks.</exception>
    internal static bool TryTake(SafeHandle file, bool shared = false)
    {
        using var held = file.Hold();
        nint result = Syscall.InvokeRetrying(SystemCall.flock, held.Number, (shared ? Abi.LOCK_SH : Abi.LOCK_EX) | Abi.LOCK_NB);
        if (Syscall.Is(result, Errno.EAGAIN)) return false;
        Syscall.Check(result, "flock", $"{held.Number}, {(shared ? "LOCK_SH" : "LOCK_EX")}|LOCK_NB");
        return true;
    }

    /// <summary>Lets go of the lock, whatever other descriptors of the open file there are.</summary>
    internal static void Release(SafeHandle file)
    {
        using var held = file.Hold();
        Syscall.InvokeRetrying(SystemCall.flock, held.Number, Abi.LOCK_UN);
    }

    /// <summary>Lets go of the lock and the file. Closed alone, a child that is forked at this moment would keep the lock until it executes. More than once does nothing.</summary>
    internal static void ReleaseAndClose(SafeHandle file)
    {
        if (file.IsClosed) return;
        Release(file);
        file.Dispose();
    }
}
