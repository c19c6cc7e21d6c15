using Isolation.Linux;

namespace Isolation.Images;

/// <summary>A new file of a store, while it is written. For one thread.</summary>
internal sealed class NewFile : Stream
{
    private readonly FileDescriptor _file;
    private readonly string _path;
    private long _length;

    private NewFile(FileDescriptor file, string path) => (_file, _path) = (file, path);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _length;

    public override long Position
    {
        get => _length;
        set => throw new NotSupportedException();
    }

    /// <exception cref="ImageException">It cannot be made.</exception>
    internal static NewFile Create(string path) => new(StoreCalls.Open(path, Abi.O_WRONLY | Abi.O_CREAT | Abi.O_EXCL, 0x1A4), path);

    /// <summary>One that is there perhaps: what is written comes after that.</summary>
    /// <exception cref="ImageException">It cannot be opened.</exception>
    internal static NewFile Append(string path)
    {
        FileDescriptor file = StoreCalls.Open(path, Abi.O_WRONLY | Abi.O_CREAT | Abi.O_APPEND, 0x1A4);
        try
        {
            return new(file, path) { _length = FileStatus.Of(file).Size };
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>To disk.</summary>
    /// <exception cref="ImageException">It is not there, and never will be.</exception>
    internal void Sync() => StoreCalls.Check(FileEntries.Sync(_file), "fsync", _path, "write");

    /// <exception cref="ImageException">It cannot be written: the disk is full, say.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            nint count = Descriptors.TryWrite(_file, buffer);
            StoreCalls.Check(count, "write", _path, "write");
            buffer = buffer[(int)count..];
            _length += count;
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) _file.Dispose();
        base.Dispose(disposing);
    }
}
