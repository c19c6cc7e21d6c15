using Isolation.Linux;

namespace Isolation;

/// <summary>How a container ended and what it wrote. Immutable; safe from any thread.</summary>
public sealed class ContainerResult
{
    private readonly CapturedOutput _standardOutput;
    private readonly CapturedOutput _standardError;

    internal ContainerResult(WaitStatus status, ContainerOutcome outcome, long? peakMemoryBytes, CapturedOutput standardOutput, CapturedOutput standardError, TimeSpan elapsed, Cgroups.CgroupStats? resources = null)
    {
        Outcome = outcome;
        ExitCode = status.ExitCode;
        Signal = status.Signal;
        ProcessorTime = status.UserTime + status.SystemTime;
        PeakMemoryBytes = peakMemoryBytes;
        Elapsed = elapsed;
        Resources = resources;
        _standardOutput = standardOutput;
        _standardError = standardError;
    }

    /// <summary>Why the program ended.</summary>
    public ContainerOutcome Outcome { get; }

    /// <summary>
    /// The exit code, 0 to 255; null when a signal ended the program, or when nobody knows: a program started with
    /// SIGCHLD ignored has its children reaped by the kernel, and unknown is not zero.
    /// </summary>
    public int? ExitCode { get; }

    /// <summary>The number of the signal that ended the program (signal(7)), or null.</summary>
    public int? Signal { get; }

    /// <summary>Whether the program exited with code 0.</summary>
    public bool Succeeded => ExitCode == 0;

    /// <summary>What the program wrote to its standard output, as UTF-8; bytes that are none become U+FFFD.</summary>
    public string StandardOutput => _standardOutput.Text;

    /// <summary>What the program wrote to its standard error, as UTF-8; bytes that are none become U+FFFD.</summary>
    public string StandardError => _standardError.Text;

    /// <summary>The bytes of <see cref="StandardOutput"/>.</summary>
    public ReadOnlyMemory<byte> StandardOutputBytes => _standardOutput.Bytes;

    /// <summary>The bytes of <see cref="StandardError"/>.</summary>
    public ReadOnlyMemory<byte> StandardErrorBytes => _standardError.Bytes;

    /// <summary>How many bytes of output were dropped because they were over the limit (see <see cref="ProgramBuilder{TSelf}.WithOutputLimit"/>).</summary>
    public long DroppedOutputBytes => _standardOutput.Dropped + _standardError.Dropped;

    /// <summary>Wall time from the call that started the container to its end.</summary>
    public TimeSpan Elapsed { get; }

    /// <summary>
    /// CPU time, user and system, of the program and of the children it had waited for (getrusage(2)). What an init
    /// (<see cref="ContainerBuilder.WithInit"/>) reaped in its place is not in it, unless the init was killed before the
    /// program had ended: then it is of all.
    /// </summary>
    public TimeSpan ProcessorTime { get; }

    /// <summary>
    /// The largest resident set of the program, or of a child it had waited for, in bytes (getrusage(2)); null where the
    /// kernel does not tell. It counts for a container's first program the moment in which the new process still shares the
    /// calling process's memory, so a peak below the calling process's own is not to be seen. With an init
    /// (<see cref="ContainerBuilder.WithInit"/>), and for a further program, it always tells.
    /// </summary>
    public long? PeakMemoryBytes { get; }

    /// <summary>
    /// What the container's control group used in all, and its peaks, as the kernel counted them: of the controllers that
    /// its limits took, and of <see cref="ContainerBuilder.WithCgroupControllers"/>. Null without a group.
    /// </summary>
    public Cgroups.CgroupStats? Resources { get; }

    /// <inheritdoc/>
    public override string ToString() => ExitCode is { } code ? $"exit code {code}" : Signal is { } signal ? $"signal {signal}" : "ended, nobody knows how";
}
