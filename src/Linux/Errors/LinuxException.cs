namespace Isolation.Linux;

/// <summary>
/// A system call failed. The message reads <c>openat2("/x", O_PATH): ENOENT (No such file or directory)</c>, followed by
/// what to do about it where that is known.
/// </summary>
/// <remarks>
/// <see cref="Exception.HResult"/> is the errno, as in the <see cref="IOException"/>s that .NET itself throws on Linux.
/// </remarks>
public sealed class LinuxException : IOException
{
    internal LinuxException(string operation, string arguments, Errno errno, string? remedy = null)
        : this(operation, arguments, errno, remedy ?? Remedies.For(operation, errno), inner: null)
    {
    }

    private LinuxException(string operation, string arguments, Errno errno, string? remedy, Exception? inner)
        : base(Compose(operation, arguments, errno, remedy), inner)
    {
        Operation = operation;
        Arguments = arguments;
        Errno = errno;
        Remedy = remedy;
        HResult = (int)errno;
    }

    /// <summary>The kernel's name of the call, for example <c>openat2</c>.</summary>
    public string Operation { get; }

    /// <summary>The operands that tell which object it was, as they stand in the message; empty where there are none.</summary>
    public string Arguments { get; }

    /// <summary>What the kernel answered.</summary>
    public Errno Errno { get; }

    /// <summary>What the reader can do about it, in one sentence, or <see langword="null"/> where no remedy is known.</summary>
    public string? Remedy { get; }

    /// <summary>The message without the remedy.</summary>
    internal string Failure => Compose(Operation, Arguments, Errno, remedy: null);

    private static string Compose(string operation, string arguments, Errno errno, string? remedy)
    {
        string what = $"{operation}({arguments}): {ErrnoText.Name(errno)} ({ErrnoText.Of(errno)})";
        return remedy is null ? what : $"{what}. {remedy}";
    }
}
