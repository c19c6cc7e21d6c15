using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>
/// What differs between architectures in the kernel's interface: numbers of system calls, and the four open flags
/// that arm64 numbers otherwise than x86-64 (<c>arch/arm64/include/uapi/asm/fcntl.h</c>).
/// A value of its own, and not only "this machine's", because a launch image can be assembled for another machine.
/// </summary>
internal sealed class TargetAbi
{
    internal static readonly TargetAbi X64 = new(Architecture.X64, o_directory: 0x10000, o_nofollow: 0x20000);
    internal static readonly TargetAbi Arm64 = new(Architecture.Arm64, o_directory: 0x4000, o_nofollow: 0x8000);

    private TargetAbi(Architecture architecture, int o_directory, int o_nofollow)
    {
        Architecture = architecture;
        O_DIRECTORY = o_directory;
        O_NOFOLLOW = o_nofollow;
    }

    /// <summary>The machine this process runs on.</summary>
    /// <exception cref="PlatformNotSupportedException">The process runs on neither x86-64 nor arm64 Linux.</exception>
    internal static TargetAbi Current { get; } = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => X64,
        Architecture.Arm64 => Arm64,
        var other => throw new PlatformNotSupportedException($"Isolation runs on x86-64 and arm64 Linux; this process is {other}."),
    };

    internal Architecture Architecture { get; }

    internal int O_DIRECTORY { get; }

    internal int O_NOFOLLOW { get; }

    internal int Number(SystemCall call) =>
        Architecture == Architecture.X64 ? SystemCallNumbers.X64(call) : SystemCallNumbers.Arm64(call);
}
