using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>Why a union could not be made.</summary>
public enum UnionFsErrorReason
{
    /// <summary>The driver asked for does not work here; the message says why and what helps.</summary>
    DriverUnavailable,

    /// <summary>The driver works here, but not with what the spec asks of it.</summary>
    NotSupported,

    /// <summary>More branches than the driver takes.</summary>
    TooManyBranches,

    /// <summary>A branch is no directory, or cannot be opened.</summary>
    BranchUnusable,

    /// <summary>A branch is there twice, or one lies in another.</summary>
    BranchesOverlap,

    /// <summary>The file system of the writable branch cannot be one (no extended attributes, itself an overlay), or it is in use or damaged.</summary>
    WritableUnusable,

    /// <summary>This process may not.</summary>
    NotPermitted,

    /// <summary>The file system is full, or a quota is reached.</summary>
    NoSpace,

    /// <summary>The kernel or the driver's program failed otherwise; the message has its words.</summary>
    Failed,
}

/// <summary>A union could not be made, read or taken away.</summary>
public sealed class UnionFsException : IOException
{
    internal UnionFsException(UnionFsErrorReason reason, string message, Exception? inner = null, string? remedy = null)
        : base(remedy is null ? message : $"{message}. {remedy}", inner)
    {
        Reason = reason;
        Remedy = remedy;
        if (inner is LinuxException cause)
        {
            Errno = cause.Errno;
            HResult = cause.HResult;
        }
    }

    /// <summary>Which kind of failure it is.</summary>
    public UnionFsErrorReason Reason { get; }

    /// <summary>What the kernel answered, <see cref="Errno.None"/> where it was not asked.</summary>
    public Errno Errno { get; }

    /// <summary>What the reader can do about it, or <see langword="null"/>.</summary>
    public string? Remedy { get; }
}
