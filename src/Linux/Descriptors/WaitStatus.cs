namespace Isolation.Linux;

/// <summary>How a process ended.</summary>
public enum WaitOutcome
{
    /// <summary>
    /// It has ended, and nobody can say how: somebody else has reaped it. So it goes in a program that was started with
    /// SIGCHLD ignored, where the kernel, or .NET, reaps every child. It is not the same as success.
    /// </summary>
    Unknown = 0,

    /// <summary>It called <c>exit</c>; <see cref="WaitStatus.ExitCode"/> holds the code.</summary>
    Exited,

    /// <summary>A signal ended it; <see cref="WaitStatus.Signal"/> tells which.</summary>
    Killed,

    /// <summary>A signal ended it, and its memory was dumped.</summary>
    Dumped,
}

/// <summary>The end of a process: how, and what it had used. A value; the default is <see cref="WaitOutcome.Unknown"/>.</summary>
public readonly struct WaitStatus
{
    internal WaitStatus(WaitOutcome outcome, int code, TimeSpan userTime, TimeSpan systemTime, long maxResidentBytes)
    {
        Outcome = outcome;
        ExitCode = outcome == WaitOutcome.Exited ? code : null;
        Signal = outcome is WaitOutcome.Killed or WaitOutcome.Dumped ? code : null;
        UserTime = userTime;
        SystemTime = systemTime;
        MaxResidentBytes = maxResidentBytes;
    }

    /// <summary>What <c>wait4(2)</c> says of a child: its status word, and its usage.</summary>
    internal static WaitStatus Of(int status, in rusage usage)
    {
        int signal = status & 0x7f;
        WaitOutcome outcome = signal == 0 ? WaitOutcome.Exited : (status & 0x80) != 0 ? WaitOutcome.Dumped : WaitOutcome.Killed;
        return new(outcome, signal == 0 ? (status >> 8) & 0xff : signal, usage.ru_utime.ToTimeSpan(), usage.ru_stime.ToTimeSpan(), usage.ru_maxrss * 1024);
    }

    /// <summary>How it ended.</summary>
    public WaitOutcome Outcome { get; }

    /// <summary>The exit code, 0 to 255; <see langword="null"/> unless it exited.</summary>
    public int? ExitCode { get; }

    /// <summary>The number of the signal that ended it; <see langword="null"/> unless it was killed or dumped.</summary>
    public int? Signal { get; }

    /// <summary>CPU time spent in user mode, its own and that of the children it had waited for. Zero when unknown.</summary>
    public TimeSpan UserTime { get; }

    /// <summary>CPU time spent in the kernel, its own and that of the children it had waited for. Zero when unknown.</summary>
    public TimeSpan SystemTime { get; }

    /// <summary>The largest resident set, in bytes, of the process or of one of the children it had waited for. Zero when unknown.</summary>
    public long MaxResidentBytes { get; }

    /// <summary>In words: <c>exited with code 1</c>, <c>killed by signal 9</c>.</summary>
    public override string ToString() => Outcome switch
    {
        WaitOutcome.Exited => $"exited with code {ExitCode}",
        WaitOutcome.Killed => $"killed by signal {Signal}",
        WaitOutcome.Dumped => $"killed by signal {Signal}, memory dumped",
        _ => "ended, nobody knows how",
    };
}
