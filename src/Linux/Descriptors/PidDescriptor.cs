using Microsoft.Win32.SafeHandles;

namespace Isolation.Linux;

/// <summary>
/// A pidfd: a process by descriptor. It means this very process for as long as it is open, however often the number of
/// the process is given away again.
/// </summary>
/// <remarks>Safe from any thread. Disposing it neither ends the process nor reaps it.</remarks>
public sealed class PidDescriptor : SafeHandleMinusOneIsInvalid
{
    private readonly Lock _reaping = new();
    private WaitStatus? _status;

    /// <param name="number">An open pidfd, which belongs to the new object from now on.</param>
    internal PidDescriptor(int number)
        : base(ownsHandle: true) => SetHandle(number);

    /// <inheritdoc cref="FileDescriptor.Number"/>
    internal int Number
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return (int)handle;
        }
    }

    /// <summary>
    /// The process that has this number now. Only for a child not yet reaped is that certainly the one meant; of any
    /// other process, check after opening that it is the right one.
    /// </summary>
    /// <param name="pid">The number, in this process's PID namespace.</param>
    /// <exception cref="LinuxException">No process has the number (ESRCH), or the kernel has no pidfds.</exception>
    public static PidDescriptor Open(int pid) => new((int)Syscall.Check(Syscall.Invoke(SystemCall.pidfd_open, pid), "pidfd_open", $"{pid}"));

    /// <returns>Null where no process has the number.</returns>
    /// <exception cref="LinuxException">The kernel has no pidfds, or no descriptor is left.</exception>
    internal static PidDescriptor? TryOpen(int pid)
    {
        nint result = Syscall.Invoke(SystemCall.pidfd_open, pid);
        return Syscall.Is(result, Errno.ESRCH) ? null : new((int)Syscall.Check(result, "pidfd_open", $"{pid}"));
    }

    /// <summary>Its number in this process's PID namespace (proc_pid_fdinfo(5)); -1 where it has ended and was reaped, 0 where it is not seen here.</summary>
    internal int ReadProcessId()
    {
        using var held = this.Hold();
        string? line = File.ReadLines(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/proc/self/fdinfo/{held.Number}")).FirstOrDefault(line => line.StartsWith("Pid:", StringComparison.Ordinal));
        return line is null ? 0 : int.Parse(line.AsSpan(4), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>A second descriptor of a process, from one that was received.</summary>
    internal static PidDescriptor Duplicate(FileDescriptor pidfd)
    {
        using var held = pidfd.Hold();
        nint result = Syscall.fcntl(held.Number, Abi.F_DUPFD_CLOEXEC);
        return new PidDescriptor((int)Syscall.Check(result, "fcntl", $"{held.Number}, F_DUPFD_CLOEXEC"));
    }

    /// <summary>
    /// Kills and reaps a child for which there is no descriptor; waits for its end. Nobody else may reap it, so that its
    /// number is still its own.
    /// </summary>
    internal static void EndChild(int pid)
    {
        Syscall.Invoke(SystemCall.kill, pid, Abi.SIGKILL);
        Syscall.InvokeRetrying(SystemCall.waitid, Abi.P_PID, pid, 0, Abi.WEXITED | Abi.__WALL);
    }

    /// <summary>Sends a signal by number; 0 sends none and only asks whether there is a process to send it to.</summary>
    /// <returns>False when the process is gone: it has ended and was reaped.</returns>
    /// <exception cref="LinuxException">The signal is none (EINVAL), or this process may not send it (EPERM).</exception>
    /// <exception cref="ObjectDisposedException">The descriptor is closed.</exception>
    public bool SendSignal(int signal)
    {
        using var held = this.Hold();
        nint result = Syscall.Invoke(SystemCall.pidfd_send_signal, held.Number, signal);
        if (Syscall.Is(result, Errno.ESRCH)) return false;
        Syscall.Check(result, "pidfd_send_signal", $"{held.Number}, signal {signal}");
        return true;
    }

    /// <summary>
    /// Reaps the process if it is a child of ours and has ended; does not block. Once it has returned true, it answers
    /// the same again however often it is called.
    /// </summary>
    /// <param name="status">How the process ended; <see cref="WaitOutcome.Unknown"/> where somebody else has reaped it or it is not our child.</param>
    /// <returns>False while the process runs.</returns>
    /// <exception cref="LinuxException">The kernel refused for a reason other than "no such child".</exception>
    /// <exception cref="ObjectDisposedException">The descriptor is closed.</exception>
    public bool TryReap(out WaitStatus status) => TryReap(out status, leave: false);

    /// <inheritdoc cref="TryReap(out WaitStatus)"/>
    /// <param name="status">How it ended.</param>
    /// <param name="leave">The status is read, and stays for who will be its parent (WNOWAIT).</param>
    internal bool TryReap(out WaitStatus status, bool leave)
    {
        // One reaper at a time: of two, the second would find no child any more and call the end unknown.
        lock (_reaping)
        {
            _status ??= Reap(leave);
            status = _status.GetValueOrDefault();
            return _status.HasValue;
        }
    }

    /// <summary>Waits for the end of the process, whoever its parent is, and blocks the thread meanwhile. A process that nobody has reaped yet has ended.</summary>
    /// <returns>False when it has not ended in time.</returns>
    internal bool WaitForEnd(TimeSpan limit)
    {
        using var held = this.Hold();
        return HasEnded(held.Number, Math.Max(0, (long)limit.TotalMilliseconds));
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        Syscall.close((int)handle);
        return true;
    }

    private unsafe WaitStatus? Reap(bool leave)
    {
        using var held = this.Hold();
        siginfo information = default;
        rusage usage = default;
        // The raw call, for its fifth argument: libc's waitid has no rusage. __WALL because a child born by clone with
        // no exit signal is not waited for without it.
        nint result = Syscall.InvokeRetrying(
            SystemCall.waitid, Abi.P_PIDFD, held.Number, (nint)(&information),
            Abi.WEXITED | Abi.WNOHANG | Abi.__WALL | (leave ? Abi.WNOWAIT : 0), (nint)(&usage));
        if (Syscall.Is(result, Errno.ECHILD)) return HasEnded(held.Number) ? default(WaitStatus) : null;
        Syscall.Check(result, "waitid", $"P_PIDFD, {held.Number}");
        return information.si_pid == 0 ? null : StatusOf(information, usage);
    }

    private static WaitStatus StatusOf(in siginfo information, in rusage usage) => new(
        information.si_code switch
        {
            Abi.CLD_EXITED => WaitOutcome.Exited,
            Abi.CLD_KILLED => WaitOutcome.Killed,
            Abi.CLD_DUMPED => WaitOutcome.Dumped,
            _ => WaitOutcome.Unknown,
        },
        information.si_status,
        usage.ru_utime.ToTimeSpan(),
        usage.ru_stime.ToTimeSpan(),
        usage.ru_maxrss * 1024); // the kernel counts KiB

    /// <summary>ECHILD says "not, or no longer, your child", alive or not; a pidfd becomes readable when its process ends.</summary>
    private static unsafe bool HasEnded(int number, long milliseconds = 0)
    {
        pollfd poll = new() { fd = number, events = (short)Abi.EPOLLIN };
        timespec wait = new() { tv_sec = milliseconds / 1000, tv_nsec = milliseconds % 1000 * 1_000_000 };

        // The raw call writes what is left of the time, so one that was interrupted goes on with the rest.
        nint result = Syscall.InvokeRetrying(SystemCall.ppoll, (nint)(&poll), 1, (nint)(&wait));
        return Syscall.Check(result, "ppoll", $"{number}") > 0;
    }
}
