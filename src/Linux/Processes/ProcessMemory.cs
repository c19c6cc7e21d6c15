namespace Isolation.Linux;

/// <summary>Memory of another process (process_vm_readv(2)), which takes the right to trace it. Safe from any thread.</summary>
internal static unsafe class ProcessMemory
{
    /// <returns>How many bytes were read, which may be fewer; or an error.</returns>
    internal static nint TryRead(int processId, ulong address, Span<byte> into) => Transfer(SystemCall.process_vm_readv, processId, address, into);

    /// <returns>How many bytes were written, which may be fewer; or an error.</returns>
    internal static nint TryWrite(int processId, ulong address, ReadOnlySpan<byte> from) => Transfer(SystemCall.process_vm_writev, processId, address, from);

    private static nint Transfer(SystemCall call, int processId, ulong address, ReadOnlySpan<byte> buffer)
    {
        fixed (byte* bytes = buffer)
        {
            nuint* local = stackalloc nuint[2] { (nuint)bytes, (nuint)buffer.Length }, remote = stackalloc nuint[2] { (nuint)address, (nuint)buffer.Length }; // struct iovec
            return Syscall.Invoke(call, processId, (nint)local, 1, (nint)remote, 1, 0);
        }
    }
}
