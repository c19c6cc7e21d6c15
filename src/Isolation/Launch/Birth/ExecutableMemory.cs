using System.Runtime.InteropServices;
using Isolation.Linux;

namespace Isolation.Launch;

/// <summary>The machine code of this architecture in memory that can be executed and not written; mapped once for the process.</summary>
internal static unsafe class ExecutableMemory
{
    internal static delegate* unmanaged<BirthRecord*, nint> Trampoline { get; } = Map();

    private static delegate* unmanaged<BirthRecord*, nint> Map()
    {
        ReadOnlySpan<byte> code = MachineCode.For(RuntimeInformation.ProcessArchitecture);
        nint length = Environment.SystemPageSize;
        nint memory = Syscall.Check(Syscall.Invoke(SystemCall.mmap, 0, length, Abi.PROT_READ | Abi.PROT_WRITE,
            Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS, -1, 0), "mmap", "one page for the trampoline");
        code.CopyTo(new Span<byte>((void*)memory, (int)length));

        // Becoming executable makes the kernel clean the caches of arm64 (arch/arm64/mm/flush.c, __sync_icache_dcache).
        Syscall.Check(Syscall.Invoke(SystemCall.mprotect, memory, length, Abi.PROT_READ | Abi.PROT_EXEC), "mprotect",
            "the trampoline, PROT_READ|PROT_EXEC");
        return (delegate* unmanaged<BirthRecord*, nint>)(memory + MachineCode.Trampoline);
    }
}
