namespace Isolation.Linux;

/// <summary>Netlink (netlink(7), rtnetlink(7)).</summary>
internal static partial class Abi
{
    // sys/socket.h
    internal const int AF_NETLINK = 16;
    internal const int SOCK_RAW = 3;
    internal const int SOL_NETLINK = 270;

    // linux/netlink.h
    internal const int NETLINK_ROUTE = 0;
    internal const int NETLINK_CAP_ACK = 10;
    internal const int NETLINK_EXT_ACK = 11;
    internal const ushort NLMSG_ERROR = 2;
    internal const ushort NLMSG_DONE = 3;
    internal const ushort NLM_F_REQUEST = 1;
    internal const ushort NLM_F_ACK = 4;
    internal const ushort NLM_F_DUMP_INTR = 0x10;
    internal const ushort NLM_F_CAPPED = 0x100;
    internal const ushort NLM_F_ACK_TLVS = 0x200;
    internal const ushort NLM_F_DUMP = 0x300;
    internal const ushort NLM_F_EXCL = 0x200;
    internal const ushort NLM_F_CREATE = 0x400;
    internal const ushort NLMSGERR_ATTR_MSG = 1;
    internal const ushort NLA_F_NESTED = 0x8000;
    internal const ushort NLA_F_NET_BYTEORDER = 0x4000;

    // linux/rtnetlink.h
    internal const ushort RTM_NEWLINK = 16;
    internal const ushort RTM_GETLINK = 18;
    internal const ushort RTM_NEWADDR = 20;
    internal const ushort RTM_GETADDR = 22;
    internal const byte RT_SCOPE_UNIVERSE = 0;

    // linux/if_link.h
    internal const ushort IFLA_IFNAME = 3;
    internal const ushort IFLA_NET_NS_FD = 28;

    // linux/if_addr.h
    internal const ushort IFA_ADDRESS = 1;
    internal const ushort IFA_LOCAL = 2;
    internal const ushort IFA_LABEL = 3;
    internal const ushort IFA_BROADCAST = 4;
    internal const ushort IFA_FLAGS = 8;
    internal const uint IFA_F_NODAD = 2;
    internal const uint IFA_F_PERMANENT = 0x80;

    internal const int IFNAMSIZ = 16;
}
