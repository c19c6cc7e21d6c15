using System.Buffers;

namespace Isolation.Linux;

/// <summary>The bytes of one regular file into another. Holes stay holes; where the kernel can copy by itself, it does.</summary>
internal static unsafe class FileContent
{
    private const int BufferSize = 1 << 20;
    private const long Chunk = 16 << 20; // cancellation is looked at between two

    /// <summary>
    /// Copies as much as the source had when it was looked at: one that grows all the time does not keep us.
    /// </summary>
    /// <param name="source">Open for reading.</param>
    /// <param name="target">Empty, open for writing.</param>
    /// <param name="size">How many bytes, holes included.</param>
    /// <param name="cancellationToken">Looked at every 16 MiB.</param>
    /// <returns>The number of bytes of data copied, or -errno.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled; the target holds a part.</exception>
    internal static nint Copy(FileDescriptor source, FileDescriptor target, long size, CancellationToken cancellationToken)
    {
        using var from = source.Hold();
        using var to = target.Hold();
        nint copied = 0;
        bool byKernel = true;
        for (long position = 0; position < size;)
        {
            nint data = Syscall.Invoke(SystemCall.lseek, from.Number, (nint)position, Abi.SEEK_DATA);
            if (Syscall.Is(data, Errno.ENXIO)) break; // nothing but a hole is left
            if (Syscall.IsError(data)) data = (nint)position; // the file system tells no holes
            nint end = Syscall.Invoke(SystemCall.lseek, from.Number, data, Abi.SEEK_HOLE);
            long stop = Syscall.IsError(end) ? size : Math.Min(size, end);
            for (position = data; position < stop;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                long length = Math.Min(stop - position, Chunk);
                nint count = byKernel ? ByKernel(from.Number, to.Number, position, length) : ByBuffer(source, target, position, length);
                if (Syscall.IsError(count) && byKernel && !IsFinal(count))
                {
                    byKernel = false;
                    continue;
                }

                if (Syscall.IsError(count)) return count;
                // copy_file_range answers 0 for files that do have content where the file system makes it up.
                if (count == 0 && !byKernel) return Sized(to.Number, size, copied);
                byKernel &= count > 0;
                position += count;
                copied += count;
            }
        }

        return Sized(to.Number, size, copied);
    }

    private static nint Sized(int target, long size, nint copied)
    {
        // For a hole at the end. A source that became shorter meanwhile reads as zeros from there on, as a hole does.
        nint result = Syscall.InvokeRetrying(SystemCall.ftruncate, target, (nint)size);
        return Syscall.IsError(result) ? result : copied;
    }

    private static bool IsFinal(nint result) => Syscall.ErrnoOf(result) is Errno.ENOSPC or Errno.EDQUOT or Errno.EIO or Errno.EFBIG;

    // Across file systems from Linux 5.3 on; EXDEV, EINVAL and ENOSYS say that this pair is none for it.
    private static nint ByKernel(int source, int target, long position, long length)
    {
        long from = position, to = position;
        return Syscall.InvokeRetrying(SystemCall.copy_file_range, source, (nint)(&from), target, (nint)(&to), (nint)length);
    }

    private static nint ByBuffer(FileDescriptor source, FileDescriptor target, long position, long length)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            nint count = Descriptors.TryReadAt(source, buffer.AsSpan(0, (int)Math.Min(length, buffer.Length)), position);
            for (nint written = 0; written < count;)
            {
                nint result = WriteAt(target, buffer.AsSpan((int)written, (int)(count - written)), position + written);
                if (Syscall.IsError(result)) return result;
                written += result;
            }

            return count;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static nint WriteAt(FileDescriptor target, ReadOnlySpan<byte> bytes, long position)
    {
        using var held = target.Hold();
        fixed (byte* start = bytes) return Syscall.InvokeRetrying(SystemCall.pwrite64, held.Number, (nint)start, bytes.Length, (nint)position);
    }
}
