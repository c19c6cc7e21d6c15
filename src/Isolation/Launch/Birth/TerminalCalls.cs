using Isolation.Linux;

namespace Isolation.Launch;

/// <summary>ioctl_tty(2).</summary>
internal static unsafe class TerminalCalls
{
    /// <summary>struct termios as the kernel has it: 36 bytes on both architectures, four flags first.</summary>
    internal const int TermiosSize = 36;

    internal static void SetSize(FileDescriptor terminal, int columns, int rows)
    {
        ushort* window = stackalloc ushort[4] { (ushort)rows, (ushort)columns, 0, 0 };
        using var held = terminal.Hold();
        Syscall.Check(Syscall.Invoke(SystemCall.ioctl, held.Number, Abi.TIOCSWINSZ, (nint)window), "ioctl", "TIOCSWINSZ");
    }

    internal static TerminalSize? TryGetSize(int terminal)
    {
        ushort* window = stackalloc ushort[4];
        nint result = Syscall.Invoke(SystemCall.ioctl, terminal, Abi.TIOCGWINSZ, (nint)window);
        return result == 0 && window[0] > 0 && window[1] > 0 ? new(window[1], window[0]) : null;
    }

    internal static bool TryGetSettings(int terminal, Span<byte> termios)
    {
        fixed (byte* bytes = termios) return Syscall.Invoke(SystemCall.ioctl, terminal, Abi.TCGETS, (nint)bytes) == 0;
    }

    internal static void SetSettings(int terminal, ReadOnlySpan<byte> termios)
    {
        fixed (byte* bytes = termios) Syscall.Invoke(SystemCall.ioctl, terminal, Abi.TCSETSF, (nint)bytes);
    }

    /// <summary>cfmakeraw(3).</summary>
    internal static void MakeRaw(Span<byte> termios)
    {
        fixed (byte* bytes = termios)
        {
            uint* flags = (uint*)bytes;
            flags[0] &= ~0x5EBu; // IGNBRK|BRKINT|PARMRK|ISTRIP|INLCR|IGNCR|ICRNL|IXON
            flags[1] &= ~0x1u; // OPOST
            flags[2] = (flags[2] & ~0x130u) | 0x30; // CSIZE and PARENB off, CS8 on
            flags[3] &= ~0x804Bu; // ECHO|ECHONL|ICANON|ISIG|IEXTEN
            bytes[17 + 6] = 1; // c_cc[VMIN]
            bytes[17 + 5] = 0; // c_cc[VTIME]
        }
    }
}
