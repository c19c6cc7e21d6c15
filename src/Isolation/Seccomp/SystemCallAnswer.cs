using Isolation.Linux;
using Microsoft.Win32.SafeHandles;

namespace Isolation;

/// <summary>What a <see cref="SystemCallHandler"/> decides. Immutable.</summary>
public sealed class SystemCallAnswer
{
    private SystemCallAnswer()
    {
    }

    /// <summary>
    /// The kernel makes the call, with what the program's memory holds by then. Another thread may have changed what an argument leads to since it was
    /// looked at, so this is no way to decide about security by anything but the arguments themselves (seccomp_unotify(2)).
    /// </summary>
    public static SystemCallAnswer Continue { get; } = new() { IsContinue = true };

    internal bool IsContinue { get; private init; }

    internal Errno Errno { get; private init; }

    internal long Value { get; private init; }

    internal SafeFileHandle? Descriptor { get; private init; }

    internal int? Number { get; private init; }

    internal bool CloseOnExec { get; private init; }

    /// <summary>The call is not made, and fails.</summary>
    public static SystemCallAnswer Fail(Errno errno)
    {
        if ((int)errno is < 1 or > 4095) throw new ArgumentOutOfRangeException(nameof(errno), errno, "An error is 1 to 4095.");
        return new() { Errno = errno };
    }

    /// <summary>The call is not made, and returns a value.</summary>
    /// <param name="value">Not from -4095 to -1, which are errors.</param>
    public static SystemCallAnswer Return(long value)
    {
        if (value is < 0 and >= -4095) throw new ArgumentOutOfRangeException(nameof(value), value, "Values from -4095 to -1 are errors: use Fail.");
        return new() { Value = value };
    }

    /// <summary>The call is not made. The program gets a copy of an open file, and the call returns its number there.</summary>
    /// <param name="descriptor">Stays the caller's, who may close it when the answer has been taken.</param>
    /// <param name="closeOnExec">Whether it closes when the program executes another.</param>
    /// <param name="number">What it is there, in place of what has that number; the lowest that is free where it is null.</param>
    public static SystemCallAnswer OpenFile(SafeFileHandle descriptor, bool closeOnExec = true, int? number = null)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        if (number is < 0) throw new ArgumentOutOfRangeException(nameof(number), number, "A descriptor is not negative.");
        return new() { Descriptor = descriptor, CloseOnExec = closeOnExec, Number = number };
    }
}
