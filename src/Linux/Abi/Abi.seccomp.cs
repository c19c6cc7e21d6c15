namespace Isolation.Linux;

internal static partial class Abi
{
    // linux/seccomp.h
    internal const int SECCOMP_SET_MODE_FILTER = 1;
}
