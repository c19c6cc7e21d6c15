using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>Something about a control group cannot be done. Says what, to which group or file, the kernel's answer, and what to do about it.</summary>
public sealed class CgroupException : Exception
{
    internal CgroupException(CgroupErrorReason reason, string message, Exception? cause = null, string? remedy = null)
        : base(Compose(message, cause, remedy ?? RemedyOf(cause)), cause)
    {
        Problem = Compose(message, cause, null);
        Reason = reason;
        Remedy = remedy ?? RemedyOf(cause);
        Errno = (cause as LinuxException)?.Errno;
    }

    /// <summary>Why, for a program.</summary>
    public CgroupErrorReason Reason { get; }

    /// <summary>What to do about it, where that is known.</summary>
    public string? Remedy { get; }

    /// <summary>The kernel's answer, where there was one.</summary>
    public Errno? Errno { get; }

    /// <summary>The message without the remedy.</summary>
    internal string Problem { get; }

    private static string? RemedyOf(Exception? cause) => (cause as LinuxException)?.Remedy;

    private static string Compose(string message, Exception? cause, string? remedy)
    {
        string text = cause is null ? message : $"{message}: {(cause is LinuxException failure ? failure.Failure : cause.Message)}";
        text = text.TrimEnd('.');
        return remedy is null ? text + "." : $"{text}. Remedy: {remedy.TrimEnd('.')}.";
    }
}

/// <summary>Why something about a control group could not be done.</summary>
public enum CgroupErrorReason
{
    /// <summary>The kernel refused, for another reason than those below.</summary>
    Failed,

    /// <summary>The controller is not in the kernel, or mounted nowhere, or not enabled for this group.</summary>
    ControllerUnavailable,

    /// <summary>What was asked for cannot be said to this version of control groups, or this kernel.</summary>
    NotSupported,

    /// <summary>The kernel refused the value.</summary>
    InvalidValue,

    /// <summary>The caller may not do this here.</summary>
    NotPermitted,

    /// <summary>The group was removed.</summary>
    Gone,

    /// <summary>The group has processes, or groups beneath it.</summary>
    Busy,

    /// <summary>A file of the kernel's does not read as its documentation says.</summary>
    Malformed,
}
