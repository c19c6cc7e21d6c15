using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>Gives a file the owner, attributes, mode and times of another, in the order in which one does not undo another.</summary>
internal static class TreeWriter
{
    /// <summary>Whether this process may give files to anybody and set every attribute; who may not owns what it makes.</summary>
    internal static bool KeepsOwners => Environment.IsPrivilegedProcess;

    /// <summary>Of one open directory to another.</summary>
    internal static void CopyProperties(FileDescriptor from, FileDescriptor to) =>
        CopyProperties(EntryOf(from), to, ".\0"u8, "/");

    /// <summary>An open directory as an entry of itself.</summary>
    internal static MergedEntry EntryOf(FileDescriptor directory) => new(".\0"u8.ToArray(), FileStatus.Of(directory), directory, ".\0"u8.ToArray(), []);

    /// <param name="entry">Whose they are.</param>
    /// <param name="directory">Where the copy is; nobody else can reach it yet.</param>
    /// <param name="name">The copy's name, ended by a NUL.</param>
    /// <param name="path">For messages.</param>
    internal static void CopyProperties(MergedEntry entry, FileDescriptor directory, ReadOnlySpan<byte> name, string path)
    {
        FileStatus status = entry.Status;
        if (KeepsOwners) Syscall.Check(FileEntries.ChangeOwner(directory, name, status.Uid, status.Gid), "fchownat", $"\"{path}\", {status.Uid}:{status.Gid}");
        // After the owner: to change that takes capabilities away (chown(2)).
        CopyAttributes(entry, directory, name, path);
        if (status.Type != FileType.SymbolicLink) Syscall.Check(FileEntries.ChangeModeFollowing(directory, name, status.Mode), "fchmodat", $"\"{path}\", {Convert.ToString(status.Mode, 8)}");
        Syscall.Check(FileEntries.ChangeTimes(directory, name, null, status.Modified), "utimensat", $"\"{path}\"");
    }

    private static void CopyAttributes(MergedEntry entry, FileDescriptor directory, ReadOnlySpan<byte> name, string path)
    {
        byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(Abi.XATTR_LIST_MAX);
        try
        {
            foreach (byte[] attribute in TreeFiles.AttributesOf(entry, buffer))
            {
                // Those of the kernel's and of root's take capabilities; who has none gets a tree without them, as without owners.
                if (!KeepsOwners && !attribute.AsSpan().StartsWith("user."u8)) continue;
                nint result = FileEntries.SetAttribute(directory, name, attribute, TreeFiles.AttributeOf(entry, attribute, buffer));
                Syscall.Check(result, "lsetxattr", $"\"{path}\", {FileName.Text(attribute)}");
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
