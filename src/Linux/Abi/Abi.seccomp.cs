namespace Isolation.Linux;

internal static partial class Abi
{
    // linux/seccomp.h
    internal const int SECCOMP_SET_MODE_FILTER = 1;
    internal const int SECCOMP_GET_NOTIF_SIZES = 3;
    internal const int SECCOMP_FILTER_FLAG_NEW_LISTENER = 8;
    internal const int SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 32;
    internal const uint SECCOMP_IOCTL_NOTIF_RECV = 0xc0502100;
    internal const uint SECCOMP_IOCTL_NOTIF_SEND = 0xc0182101;
    internal const uint SECCOMP_IOCTL_NOTIF_ID_VALID = 0x40082102;
    internal const uint SECCOMP_IOCTL_NOTIF_ADDFD = 0x40182103;
    internal const int SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1;
    internal const int SECCOMP_ADDFD_FLAG_SETFD = 1;
    internal const int MSG_CONFIRM = 0x800; // sys/socket.h
}
