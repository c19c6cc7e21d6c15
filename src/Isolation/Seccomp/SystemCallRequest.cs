using System.Collections.Immutable;
using System.Text;
using Isolation.Linux;
using Microsoft.Win32.SafeHandles;

namespace Isolation;

/// <summary>A system call that a thread of a program has asked for, and waits for. Safe from any thread.</summary>
public sealed class SystemCallRequest
{
    private const int LongestText = 4096; // PATH_MAX
    private readonly FileDescriptor _listener;
    private readonly ulong _id;

    internal SystemCallRequest(FileDescriptor listener, in seccomp_notif notification)
    {
        (_listener, _id) = (listener, notification.id);
        ThreadId = (int)notification.pid;
        bool isX32 = notification.data.arch == SeccompCompiler.AuditX64 && (notification.data.nr & (int)SeccompCompiler.X32Bit) != 0;
        Architecture = notification.data.arch switch
        {
            SeccompCompiler.AuditX86 => SeccompArchitecture.X86,
            SeccompCompiler.AuditArm64 => SeccompArchitecture.Arm64,
            _ => isX32 ? SeccompArchitecture.X32 : SeccompArchitecture.X64,
        };
        Number = isX32 ? notification.data.nr & ~(int)SeccompCompiler.X32Bit : notification.data.nr;
        Name = SystemCallTable.NameOf(Number, Architecture) ?? FormattableString.Invariant($"{Number}");
        InstructionPointer = notification.data.instruction_pointer;
        seccomp_data data = notification.data;
        Arguments = [.. Enumerable.Range(0, 6).Select(data.Argument)];
    }

    /// <summary>As in <c>asm/unistd.h</c> without <c>__NR_</c>; the number where this library does not know it.</summary>
    public string Name { get; }

    /// <summary>Its number on <see cref="Architecture"/>.</summary>
    public int Number { get; }

    /// <summary>Whose call it is.</summary>
    public SeccompArchitecture Architecture { get; }

    /// <summary>The thread that waits, as this process sees it; 0 where it does not see it.</summary>
    public int ThreadId { get; }

    /// <summary>All six, as they are in the registers; those that the call does not have are anything.</summary>
    public ImmutableArray<ulong> Arguments { get; }

    /// <summary>Where the program has made the call.</summary>
    public ulong InstructionPointer { get; }

    /// <summary>Whether the thread still waits; it does not when it was killed, or a signal has interrupted it.</summary>
    public bool IsWaiting => !_listener.IsClosed && SeccompCalls.IsWaiting(_listener, _id);

    /// <summary>Reads the program's memory. Whatever it says, another thread of the program can change at once.</summary>
    /// <param name="address">Where.</param>
    /// <param name="into">What is read.</param>
    /// <returns>How many bytes could be read, up to the first that cannot.</returns>
    /// <exception cref="OperationCanceledException">The thread does not wait any more.</exception>
    /// <exception cref="LinuxException">EFAULT: nothing is there. EPERM: this process may not trace that one.</exception>
    public int ReadMemory(ulong address, Span<byte> into) => Transferred(ProcessMemory.TryRead(ThreadId, address, into), "process_vm_readv", address);

    /// <summary>Writes to the program's memory, where an argument wants an answer.</summary>
    /// <exception cref="OperationCanceledException">The thread does not wait any more.</exception>
    /// <exception cref="LinuxException">EFAULT: nothing is there, or it must not be written. EPERM: this process may not trace that one.</exception>
    public int WriteMemory(ulong address, ReadOnlySpan<byte> from)
    {
        // Before as well: the number could be another's by now, and that one would be written to.
        ThrowIfGone();
        return Transferred(ProcessMemory.TryWrite(ThreadId, address, from), "process_vm_writev", address);
    }

    /// <summary>Reads the text that an argument leads to, up to its NUL; at most 4096 bytes.</summary>
    /// <exception cref="OperationCanceledException">The thread does not wait any more.</exception>
    /// <exception cref="LinuxException">EFAULT: nothing is there. ENAMETOOLONG: there is no NUL. EPERM: this process may not trace that one.</exception>
    public string ReadText(int argument)
    {
        byte[] text = new byte[LongestText];
        int length = 0;
        while (length < text.Length)
        {
            // By the page: what is behind the text may not be there.
            ulong address = Arguments[argument] + (ulong)length;
            int wanted = Math.Min(text.Length - length, (int)(4096 - address % 4096));
            int count = ReadMemory(address, text.AsSpan(length, wanted));
            if (text.AsSpan(length, count).IndexOf((byte)0) is var end and >= 0) return Encoding.UTF8.GetString(text, 0, length + end);
            length += count;
        }

        throw new LinuxException("process_vm_readv", FormattableString.Invariant($"0x{Arguments[argument]:x}"), Errno.ENAMETOOLONG);
    }

    /// <summary>In words.</summary>
    public override string ToString() => $"{Name}({string.Join(", ", Arguments.Select(argument => FormattableString.Invariant($"0x{argument:x}")))})";

    internal void Answer(SystemCallAnswer answer)
    {
        seccomp_notif_resp response = new() { id = _id };
        if (answer.IsContinue) response.flags = Abi.SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        else if (answer.Descriptor is { } descriptor)
        {
            nint number = SeccompCalls.TryAddDescriptor(_listener, _id, descriptor, answer.Number, answer.CloseOnExec);
            if (Syscall.IsError(number)) response.error = (int)number;
            else response.val = number;
        }
        else if (answer.Errno != Errno.None) response.error = -(int)answer.Errno;
        else response.val = answer.Value;
        nint result = SeccompCalls.TrySend(_listener, response);
        if (!Syscall.Is(result, Errno.ENOENT)) Syscall.Check(result, "ioctl", "SECCOMP_IOCTL_NOTIF_SEND");
    }

    private int Transferred(nint result, string call, ulong address)
    {
        ThrowIfGone();
        return (int)Syscall.Check(result, call, FormattableString.Invariant($"{ThreadId}, 0x{address:x}"));
    }

    private void ThrowIfGone()
    {
        if (!IsWaiting) throw new OperationCanceledException($"The thread that asked for {Name} does not wait for an answer any more.");
    }
}
