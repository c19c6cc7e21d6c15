namespace Isolation.Linux;

/// <summary>
/// Names that nobody can guess, from the kernel's own source (getrandom(2)). The class library's generator loads a library of cryptography for it, which takes a
/// short-lived process longer than all that it is started for. Safe from any thread.
/// </summary>
internal static unsafe class RandomName
{
    private const int Longest = 64;

    /// <param name="digits">How many hexadecimal ones, in lower case; an even number.</param>
    internal static string Hex(int digits)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(digits, Longest);
        byte* bytes = stackalloc byte[Longest / 2];

        // So few bytes are given whole, and no signal interrupts it (getrandom(2)).
        Syscall.Check(Syscall.Invoke(SystemCall.getrandom, (nint)bytes, digits / 2, 0), "getrandom", $"{digits / 2}");
        return Convert.ToHexStringLower(new ReadOnlySpan<byte>(bytes, digits / 2));
    }
}
