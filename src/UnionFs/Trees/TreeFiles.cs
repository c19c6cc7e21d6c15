using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>What can be read of a file of a branch: always by its directory and its name, and never through a link.</summary>
internal static class TreeFiles
{
    internal static FileDescriptor OpenFile(MergedEntry entry)
    {
        // What has become a FIFO meanwhile waits for nobody.
        nint result = FileEntries.Open(entry.Holder, entry.SourceName, Abi.O_RDONLY | Abi.O_NONBLOCK | Abi.O_NOCTTY);
        return new((int)Syscall.Check(result, "open", $"\"{FileName.Text(entry.SourceName)}\""));
    }

    /// <returns>The target of a symbolic link, ended by a NUL.</returns>
    internal static byte[] TargetOf(MergedEntry entry)
    {
        byte[] target = new byte[Abi.PATH_MAX + 1];
        nint length = Syscall.Check(FileEntries.LinkTarget(entry.Holder, entry.SourceName, target.AsSpan(0, Abi.PATH_MAX)), "readlink", $"\"{FileName.Text(entry.SourceName)}\"");
        return target[..((int)length + 1)];
    }

    /// <summary>
    /// The names of its attributes, each ended by a NUL: without those that drivers write for themselves, and the label, which
    /// the machine's policy gives.
    /// </summary>
    internal static List<byte[]> AttributesOf(MergedEntry entry, byte[] buffer)
    {
        nint length = Syscall.Check(FileEntries.ListAttributes(entry.Holder, entry.SourceName, buffer), "llistxattr", $"\"{FileName.Text(entry.SourceName)}\"");
        List<byte[]> names = [];
        for (int start = 0; start < length;)
        {
            int end = buffer.AsSpan(start).IndexOf((byte)0) + start + 1;
            ReadOnlySpan<byte> name = buffer.AsSpan(start, end - start);
            start = end;
            if (!Whiteouts.IsOwnAttribute(name) && !name.SequenceEqual("security.selinux\0"u8)) names.Add(name.ToArray());
        }

        return names;
    }

    /// <returns>The value, in the buffer, which must have XATTR_SIZE_MAX bytes; empty where it is gone since it was listed.</returns>
    internal static ReadOnlySpan<byte> AttributeOf(MergedEntry entry, byte[] attribute, byte[] buffer)
    {
        nint length = FileEntries.GetAttribute(entry.Holder, entry.SourceName, attribute, buffer);
        if (Syscall.Is(length, Errno.ENODATA)) return default;
        return buffer.AsSpan(0, (int)Syscall.Check(length, "lgetxattr", $"\"{FileName.Text(entry.SourceName)}\", {FileName.Text(attribute)}"));
    }
}
