using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Isolation.Linux;

/// <summary>
/// The one door to the kernel. Every form returns the kernel's own result: a value, or <c>-errno</c> from -4095 to -1.
/// Nothing here throws but the <c>Check</c> family, so that a caller decides where an errno is an answer and where it
/// is a failure. Safe from any thread; no form allocates unless it fails.
/// </summary>
internal static unsafe partial class Syscall
{
    private const int MaxErrno = 4095;

    static Syscall() => LibraryName.MapToThisProcess();

    /// <summary>
    /// For tests: asked before each call, on the thread that makes it. What it returns, unless 0, is the call's result and
    /// the call is not made (<c>close</c> is: the kernel closes, whatever it answers). Null, and free, in every program.
    /// </summary>
    internal static volatile Func<SystemCall, nint>? Failpoint;

    /// <summary>Whether a test wants this call to fail, and with what.</summary>
    internal static bool Fails(SystemCall call, out nint fault)
    {
        fault = Failpoint?.Invoke(call) ?? 0;
        return fault != 0;
    }

    /// <summary>Any call by its number on this machine, through libc's <c>syscall</c>.</summary>
    internal static nint Invoke(SystemCall call, nint a0 = 0, nint a1 = 0, nint a2 = 0, nint a3 = 0, nint a4 = 0, nint a5 = 0) =>
        Fails(call, out nint fault) ? fault : Result((ssize_t)LibC.syscall(
            TargetAbi.Current.Number(call), (void*)a0, (void*)a1, (void*)a2, (void*)a3, (void*)a4, (void*)a5));

    /// <summary>
    /// As <see cref="Invoke"/>, again for as long as a signal interrupts it. Not for <c>close</c> (the descriptor is gone
    /// after the first EINTR, and its number may be somebody else's by now), nor for a call with a timeout.
    /// </summary>
    internal static nint InvokeRetrying(SystemCall call, nint a0 = 0, nint a1 = 0, nint a2 = 0, nint a3 = 0, nint a4 = 0, nint a5 = 0)
    {
        nint result;
        do result = Invoke(call, a0, a1, a2, a3, a4, a5);
        while (result == -(int)Errno.EINTR);
        return result;
    }

    internal static bool IsError(nint result) => result is < 0 and >= -MaxErrno;

    /// <summary>Whether a call failed with this errno.</summary>
    internal static bool Is(nint result, Errno errno) => result == -(int)errno;

    /// <summary>The errno of a failed call, <see cref="Errno.None"/> of any other.</summary>
    internal static Errno ErrnoOf(nint result) => IsError(result) ? (Errno)(int)-result : Errno.None;

    /// <exception cref="LinuxException">The result is an error.</exception>
    internal static nint Check(nint result, string operation, string arguments = "")
    {
        if (IsError(result)) Throw(result, operation, arguments);
        return result;
    }

    /// <summary>As the other, with the operands put into words only on failure: <c>Check(r, "openat", $"\"{path}\"")</c>.</summary>
    /// <exception cref="LinuxException">The result is an error.</exception>
    internal static nint Check(nint result, string operation, [InterpolatedStringHandlerArgument(nameof(result))] ref FailureText arguments)
    {
        if (IsError(result)) Throw(result, operation, arguments.ToStringAndClear());
        return result;
    }

    /// <summary>The exception for a failed call, for those who throw it elsewhere or later.</summary>
    internal static LinuxException Failure(nint result, string operation, string arguments = "") =>
        new(operation, arguments, ErrnoOf(result));

    [System.Diagnostics.CodeAnalysis.DoesNotReturn]
    private static void Throw(nint result, string operation, string arguments) => throw Failure(result, operation, arguments);

    /// <summary>libc's convention (-1, and errno aside) turned back into the kernel's.</summary>
    private static nint Result(long result) => result == -1 ? -Marshal.GetLastPInvokeError() : (nint)result;
}
