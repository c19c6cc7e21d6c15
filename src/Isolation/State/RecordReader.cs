using Isolation.Linux;

namespace Isolation;

/// <summary>Reads records, one's own and those of others, which may be written or removed meanwhile.</summary>
internal static class RecordReader
{
    // A record is some hundred bytes; what is not one is not read into memory.
    private const int Longest = 1 << 20;

    /// <summary>Null where the file is gone.</summary>
    /// <exception cref="LinuxException">It cannot be read.</exception>
    internal static RecordContent? Read(FileDescriptor directory, string name)
    {
        if (!name.EndsWith(RecordFile.Extension, StringComparison.Ordinal)) return Damaged("its name is not that of a record");
        nint result = DirectoryFiles.TryOpen(directory, name, Abi.O_RDONLY | Abi.O_NONBLOCK);
        if (Syscall.Is(result, Errno.ENOENT)) return null;
        if (Syscall.Is(result, Errno.ELOOP)) return Damaged("it is a symbolic link");
        using FileDescriptor file = new((int)Syscall.Check(result, "openat", $"\"{name}\""));
        FileStatus status = FileStatus.Of(file);
        if (status.Type != FileType.Regular) return Damaged("it is not a regular file");
        if (status.Size > Longest) return Damaged($"it is {status.Size} bytes long");
        byte[] text = new byte[status.Size + 4096];
        int length = 0;
        for (int count; length < text.Length && (count = Descriptors.Read(file, text.AsSpan(length))) > 0;) length += count;
        return RecordText.Parse(text.AsSpan(0, length), ResourceRemovers.ProblemOf);
    }

    private static RecordContent Damaged(string problem) => new(RecordCondition.Damaged, null, [], problem);
}
