using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>Calls that a filter leaves to whoever listens (seccomp_unotify(2)). Safe from any thread.</summary>
internal static unsafe class SeccompCalls
{
    private static readonly int NotificationSize = ReadNotificationSize();

    /// <summary>The next call that waits; the listener must be readable, or this waits too.</summary>
    /// <returns>An error where there is none: ENOENT where whoever made it has died meanwhile.</returns>
    internal static nint TryReceive(SafeHandle listener, out seccomp_notif notification)
    {
        Span<byte> buffer = stackalloc byte[NotificationSize]; // a later kernel's may be longer
        buffer.Clear();
        fixed (byte* at = buffer)
        {
            nint result = Control(listener, Abi.SECCOMP_IOCTL_NOTIF_RECV, at);
            notification = *(seccomp_notif*)at;
            return result;
        }
    }

    /// <summary>Lets a call return.</summary>
    /// <returns>ENOENT where nobody waits for it any more.</returns>
    internal static nint TrySend(SafeHandle listener, seccomp_notif_resp answer) => Control(listener, Abi.SECCOMP_IOCTL_NOTIF_SEND, &answer);

    /// <summary>Whether whoever made the call still waits: then its process is the one whose number was told.</summary>
    internal static bool IsWaiting(SafeHandle listener, ulong id) => Control(listener, Abi.SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;

    /// <summary>Puts a descriptor into whoever waits.</summary>
    /// <returns>Its number there, or an error.</returns>
    internal static nint TryAddDescriptor(SafeHandle listener, ulong id, SafeHandle descriptor, int? number, bool closeOnExec)
    {
        using HeldHandle held = descriptor.Hold();
        seccomp_notif_addfd request = new()
        {
            id = id, srcfd = (uint)held.Number, newfd = (uint)(number ?? 0), flags = number is null ? 0u : Abi.SECCOMP_ADDFD_FLAG_SETFD,
            newfd_flags = closeOnExec ? (uint)Abi.O_CLOEXEC : 0,
        };
        return Control(listener, Abi.SECCOMP_IOCTL_NOTIF_ADDFD, &request);
    }

    /// <summary>Whether a listener can be made whose calls only a deadly signal interrupts: Linux 5.19. Asked without a filter.</summary>
    internal static bool HasKillableWait() =>
        Syscall.Is(Syscall.Invoke(SystemCall.seccomp, Abi.SECCOMP_SET_MODE_FILTER, Abi.SECCOMP_FILTER_FLAG_NEW_LISTENER | Abi.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, 0), Errno.EFAULT);

    private static nint Control(SafeHandle listener, uint request, void* argument)
    {
        using HeldHandle held = listener.Hold();
        return Syscall.InvokeRetrying(SystemCall.ioctl, held.Number, (nint)request, (nint)argument);
    }

    private static int ReadNotificationSize()
    {
        seccomp_notif_sizes sizes = default;
        nint result = Syscall.Invoke(SystemCall.seccomp, Abi.SECCOMP_GET_NOTIF_SIZES, 0, (nint)(&sizes));
        return Syscall.IsError(result) ? sizeof(seccomp_notif) : Math.Max(sizes.seccomp_notif, sizeof(seccomp_notif));
    }
}
