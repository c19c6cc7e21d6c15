using Isolation.Cgroups;
using Isolation.Linux;

namespace Isolation;

/// <summary>A container could not be started, or its files not be reached. Says what was being done, to what, the kernel's answer, and what to do about it.</summary>
public sealed class ContainerException : Exception
{
    internal ContainerException(ContainerErrorReason reason, string message, Exception? cause, string? remedy)
        : base(Compose(message, cause, remedy), cause)
    {
        Problem = Compose(message, cause, null);
        Reason = reason;
        Remedy = remedy;
        Errno = (cause as LinuxException)?.Errno ?? (cause as CgroupException)?.Errno;
    }

    /// <summary>Why, for a program.</summary>
    public ContainerErrorReason Reason { get; }

    /// <summary>What to do about it, where that is known.</summary>
    public string? Remedy { get; }

    /// <summary>The message without the remedy.</summary>
    internal string Problem { get; }

    /// <summary>The kernel's answer, where there was one.</summary>
    public Errno? Errno { get; }

    /// <summary>What the step that failed was for, such as "mount the private /proc"; null when no step failed.</summary>
    public string? Purpose { get; internal init; }

    /// <summary>The system call of the step that failed with its operands; null when no step failed.</summary>
    public string? Step { get; internal init; }

    /// <summary>Without the remedy, which is told at the end.</summary>
    private static string ProblemOf(Exception cause) => cause switch
    {
        LinuxException failure => failure.Failure,
        CgroupException failure => failure.Problem.TrimEnd('.'),
        _ => cause.Message,
    };

    private static string Compose(string message, Exception? cause, string? remedy)
    {
        string text = cause is null ? message : $"{message}: {ProblemOf(cause)}";
        text = text.TrimEnd('.');
        return remedy is null ? text + "." : $"{text}. Remedy: {remedy.TrimEnd('.')}.";
    }
}
