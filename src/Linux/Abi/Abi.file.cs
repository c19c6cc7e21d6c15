namespace Isolation.Linux;

internal static partial class Abi
{
    // sys/file.h
    internal const int LOCK_SH = 1;
    internal const int LOCK_EX = 2;
    internal const int LOCK_NB = 4;
    internal const int LOCK_UN = 8;
}
