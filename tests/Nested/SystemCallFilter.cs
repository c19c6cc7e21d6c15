using System.Runtime.InteropServices;

namespace Isolation.Nested;

/// <summary>
/// Makes system calls answer ENOSYS in this process and all it starts, as old kernels and the filters of other
/// container engines do (seccomp(2)).
/// </summary>
internal static unsafe partial class SystemCallFilter
{
    private const int PR_SET_NO_NEW_PRIVS = 38, SECCOMP_SET_MODE_FILTER = 1, SECCOMP_FILTER_FLAG_TSYNC = 1, ENOSYS = 38, EINVAL = 22;
    private const uint NumberOffset = 0, ThirdArgumentOffset = 32; // struct seccomp_data
    private const uint CloseRange = 436;
    private const string OldCloseRange = "close_range_flags";
    private const uint SECCOMP_RET_ALLOW = 0x7fff0000, SECCOMP_RET_ERRNO = 0x00050000;
    private const ushort BPF_LD_W_ABS = 0x20, BPF_JEQ_K = 0x15, BPF_RET_K = 0x06;

    internal static void Deny(string[] calls)
    {
        List<Instruction> filter = [new(BPF_LD_W_ABS, 0, 0, NumberOffset)];
        foreach (string call in calls)
        {
            if (call == OldCloseRange)
            {
                // Linux 5.9 and 5.10 have close_range without CLOSE_RANGE_CLOEXEC.
                filter.Add(new(BPF_JEQ_K, 0, 4, CloseRange));
                filter.Add(new(BPF_LD_W_ABS, 0, 0, ThirdArgumentOffset));
                filter.Add(new(BPF_JEQ_K, 0, 1, 0));
                filter.Add(new(BPF_RET_K, 0, 0, SECCOMP_RET_ALLOW));
                filter.Add(new(BPF_RET_K, 0, 0, SECCOMP_RET_ERRNO | EINVAL));
                continue;
            }

            filter.Add(new(BPF_JEQ_K, 0, 1, Number(call)));
            filter.Add(new(BPF_RET_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS));
        }

        filter.Add(new(BPF_RET_K, 0, 0, SECCOMP_RET_ALLOW));
        Instruction[] program = [.. filter];
        if (Prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) throw new InvalidOperationException("prctl(PR_SET_NO_NEW_PRIVS) failed");
        fixed (Instruction* start = program)
        {
            Program loaded = new() { Length = (ushort)program.Length, Instructions = start };
            long number = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 317 : 277;
            if (Syscall(number, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, (nint)(&loaded)) != 0)
                throw new InvalidOperationException("seccomp(SECCOMP_SET_MODE_FILTER) failed");
        }
    }

    private static uint Number(string name) =>
        (uint)(SystemCallTable.NumberOf(name, RuntimeInformation.ProcessArchitecture == Architecture.X64 ? SeccompArchitecture.X64 : SeccompArchitecture.Arm64) ?? throw new ArgumentException($"There is no system call '{name}'."));

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Prctl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial long Syscall(long number, long a, long b, nint c);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Instruction(ushort code, byte whenTrue, byte whenFalse, uint operand)
    {
        private readonly ushort _code = code;
        private readonly byte _whenTrue = whenTrue;
        private readonly byte _whenFalse = whenFalse;
        private readonly uint _operand = operand;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Program
    {
        internal ushort Length;
        internal Instruction* Instructions;
    }
}
