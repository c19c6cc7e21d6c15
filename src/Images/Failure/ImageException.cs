using Isolation.Linux;

namespace Isolation.Images;

/// <summary>Something about an image cannot be done. Says what, to which image, blob or path, what was got and what was wanted, and what to do about it.</summary>
public sealed class ImageException : Exception
{
    internal ImageException(ImageErrorReason reason, string message, Exception? cause = null, string? remedy = null)
        : base(Compose(message, cause, remedy ?? RemedyOf(cause)), cause)
    {
        Reason = reason;
        Remedy = remedy ?? RemedyOf(cause);
        Errno = (cause as LinuxException)?.Errno;
    }

    /// <summary>Why, for a program.</summary>
    public ImageErrorReason Reason { get; }

    /// <summary>What to do about it, where that is known.</summary>
    public string? Remedy { get; }

    /// <summary>The kernel's answer, where there was one.</summary>
    public Errno? Errno { get; }

    /// <summary>What the kernel refused, while something was done.</summary>
    internal static ImageException Of(LinuxException cause, string message) => new(
        cause.Errno switch
        {
            Linux.Errno.ENOSPC or Linux.Errno.EDQUOT => ImageErrorReason.NoSpace,
            Linux.Errno.EACCES or Linux.Errno.EPERM or Linux.Errno.EROFS => ImageErrorReason.NotPermitted,
            _ => ImageErrorReason.Failed,
        }, message, cause);

    private static string? RemedyOf(Exception? cause) => (cause as LinuxException)?.Remedy;

    private static string Compose(string message, Exception? cause, string? remedy)
    {
        string text = cause is null ? message : $"{message}: {(cause is LinuxException failure ? failure.Failure : cause.Message)}";
        text = text.TrimEnd('.');
        return remedy is null ? text + "." : $"{text}. Remedy: {remedy.TrimEnd('.')}.";
    }
}

/// <summary>Why something about an image could not be done.</summary>
public enum ImageErrorReason
{
    /// <summary>The kernel refused, for another reason than those below.</summary>
    Failed,

    /// <summary>There is no such image, or no such blob.</summary>
    NotFound,

    /// <summary>It does not read as its specification says.</summary>
    InvalidContent,

    /// <summary>Its bytes are not those that its digest names.</summary>
    DigestMismatch,

    /// <summary>It has more or fewer bytes than its descriptor says.</summary>
    SizeMismatch,

    /// <summary>It would write outside the directory it is unpacked into, or pretend to be something else.</summary>
    UnsafeEntry,

    /// <summary>It is larger than the bounds allow.</summary>
    TooLarge,

    /// <summary>It is of a kind that this library does not know.</summary>
    NotSupported,

    /// <summary>The caller may not do this here.</summary>
    NotPermitted,

    /// <summary>The disk, or a quota of it, is full.</summary>
    NoSpace,

    /// <summary>The store cannot be used: it is none, or of a later version.</summary>
    StoreUnusable,

    /// <summary>What is in the store is not what was put there.</summary>
    Damaged,

    /// <summary>Somebody else uses it, or there is another of that name.</summary>
    Conflict,

    /// <summary>There is no such host, or it does not answer.</summary>
    Unreachable,

    /// <summary>The registry has no such repository.</summary>
    RepositoryNotFound,

    /// <summary>The registry does not know who asks, or does not take the credentials.</summary>
    Unauthorized,

    /// <summary>The registry knows who asks and does not allow it, or what it leads to is not allowed here.</summary>
    Denied,

    /// <summary>The registry wants fewer requests.</summary>
    Throttled,

    /// <summary>The registry has failed, or answers what no registry may.</summary>
    RegistryFailed,

    /// <summary>A certificate, or a signature of an image, is not one that is trusted here.</summary>
    Untrusted,
}
