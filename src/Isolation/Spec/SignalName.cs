using System.Globalization;

namespace Isolation;

/// <summary>Signals by name, as images have them: <c>SIGTERM</c>, <c>TERM</c>, <c>15</c>, <c>SIGRTMIN+3</c> (signal(7), the numbers of x86 and ARM).</summary>
internal static class SignalName
{
    private const int FirstRealTime = 34, LastRealTime = 64; // of glibc; the kernel's 32 and 33 are the C library's own

    private static readonly string[] Names =
    [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
        "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];

    /// <summary>Null where there is no such signal.</summary>
    internal static int? Number(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)) return Existing(number);
        string name = text.ToUpperInvariant();
        if (name.StartsWith("SIG", StringComparison.Ordinal)) name = name[3..];
        int index = Array.IndexOf(Names, name);
        if (index >= 0) return index + 1;
        return name switch
        {
            "IOT" => 6,
            "CLD" => 17,
            "POLL" => 29,
            "RTMIN" => FirstRealTime,
            "RTMAX" => LastRealTime,
            _ when name.StartsWith("RTMIN+", StringComparison.Ordinal) => RealTime(name[6..], FirstRealTime, 1),
            _ when name.StartsWith("RTMAX-", StringComparison.Ordinal) => RealTime(name[6..], LastRealTime, -1),
            _ => null,
        };
    }

    private static int? RealTime(string offset, int from, int direction) =>
        int.TryParse(offset, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= LastRealTime - FirstRealTime ? from + direction * number : null;

    private static int? Existing(int number) => number is >= 1 and <= LastRealTime ? number : null;
}
