namespace Isolation.Linux;

internal static partial class Abi
{
    // linux/keyctl.h
    internal const int KEYCTL_JOIN_SESSION_KEYRING = 1;
}
