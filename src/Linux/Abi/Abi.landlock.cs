namespace Isolation.Linux;

internal static partial class Abi
{
    // linux/landlock.h
    internal const int LANDLOCK_CREATE_RULESET_VERSION = 1;
    internal const int LANDLOCK_RULE_PATH_BENEATH = 1;
    internal const int LANDLOCK_RULE_NET_PORT = 2;
    internal const int LANDLOCK_ACCESS_NET_BIND_TCP = 1;
    internal const int LANDLOCK_ACCESS_NET_CONNECT_TCP = 2;
}
