using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>
/// Writes a merged tree into a directory of our own that nobody else can reach yet: owners, modes, times to the nanosecond, all
/// attributes, devices, further names of one file, holes.
/// </summary>
/// <param name="mayLink">Whether files may be further names of the branches' own: where nobody can write through the copy.</param>
/// <param name="owners">What an owner and a group of the tree become; they stay where it is null.</param>
/// <param name="cancellationToken">Looked at for each file, and every 16 MiB of one.</param>
internal sealed class MergedCopy(bool mayLink, (Func<uint, uint> User, Func<uint, uint> Group)? owners, CancellationToken cancellationToken)
{
    /// <summary>What of the tree is copied; all of it where nothing is said.</summary>
    internal ChangedPaths? Only { get; init; }

    private readonly Dictionary<(ulong, (uint, uint)), (FileDescriptor Holder, byte[] Name)> _named = [];
    private bool _clones = true, _links = mayLink;

    /// <summary>How many files got their content in each of the three ways.</summary>
    internal (long Cloned, long Linked, long Copied) Counts { get; private set; }

    internal void Run(MergedTree tree, FileDescriptor target)
    {
        using MergedDirectory root = tree.OpenRoot();
        Run(root, target);
    }

    /// <param name="directory">What is copied.</param>
    /// <param name="target">Where to.</param>
    internal void Run(MergedDirectory directory, FileDescriptor target)
    {
        try
        {
            Fill(directory, target, 0);
            CopyProperties(TreeWriter.EntryOf(directory.Top), target, ".\0"u8, directory.Path);
        }
        finally
        {
            foreach ((FileDescriptor holder, _) in _named.Values) holder.Dispose();
        }
    }

    private void Fill(MergedDirectory directory, FileDescriptor target, int depth)
    {
        if (depth > MergedTree.MostLevels) throw new LinuxException("open", $"\"{directory.Path}\"", Errno.ENAMETOOLONG, $"The tree is more than {MergedTree.MostLevels} directories deep.");
        foreach (MergedEntry entry in directory.Read())
        {
            cancellationToken.ThrowIfCancellationRequested();
            string path = $"{directory.Path}/{FileName.Text(entry.Name)}";
            if (Only?.Has(path) == false) continue;
            if (!entry.IsDirectory)
            {
                CopyOne(entry, target, path);
                continue;
            }

            Syscall.Check(FileEntries.MakeDirectory(target, entry.Name, 0x1C0), "mkdirat", $"\"{path}\"");
            using (MergedDirectory below = directory.Enter(entry))
            using (FileDescriptor made = MergedTree.OpenDirectory(target, entry.Name, directory.Path))
                Fill(below, made, depth + 1);
            // Last: what is made in a directory changes its time.
            CopyProperties(entry, target, entry.Name, path);
        }

        foreach (byte[] gone in Only?.GoneFrom(directory.Path) ?? [])
            Syscall.Check(OverlayForm.MakeWhiteout(target, gone), "mknodat", $"whiteout of \"{directory.Path}/{FileName.Text(gone)}\"");
    }

    private void CopyOne(MergedEntry entry, FileDescriptor target, string path)
    {
        FileStatus status = entry.Status;
        bool hasNames = status.Links > 1;
        if (hasNames && _named.TryGetValue((status.Inode, status.Device), out var first) && !Syscall.IsError(FileEntries.AddName(first.Holder, first.Name, target, entry.Name))) return;
        if (status.Type == FileType.Regular)
        {
            if (!CopyFile(entry, target, path)) return;
        }
        else
        {
            Syscall.Check(Make(entry, target), status.Type == FileType.SymbolicLink ? "symlinkat" : "mknodat", $"\"{path}\", of type {status.Type}");
        }

        CopyProperties(entry, target, entry.Name, path);
        if (hasNames) _named.TryAdd((status.Inode, status.Device), (Descriptors.Duplicate(target), entry.Name));
    }

    private void CopyProperties(MergedEntry entry, FileDescriptor target, ReadOnlySpan<byte> name, string path)
    {
        if (owners is var (user, group)) entry = entry with { Status = entry.Status with { Uid = user(entry.Status.Uid), Gid = group(entry.Status.Gid) } };
        TreeWriter.CopyProperties(entry, target, name, path);
    }

    private static nint Make(MergedEntry entry, FileDescriptor target) => entry.Status.Type == FileType.SymbolicLink
        ? FileEntries.MakeLink(TreeFiles.TargetOf(entry), target, entry.Name)
        : FileEntries.MakeNode(target, entry.Name, (uint)entry.Status.Type | entry.Status.Mode, entry.Status.RawDevice);

    /// <returns>False where the file is the branch's own, which has all its properties.</returns>
    private bool CopyFile(MergedEntry entry, FileDescriptor target, string path)
    {
        using (FileDescriptor source = TreeFiles.OpenFile(entry))
        {
            nint opened = FileEntries.Open(target, entry.Name, Abi.O_WRONLY | Abi.O_CREAT | Abi.O_EXCL, 0x180);
            using FileDescriptor file = new((int)Syscall.Check(opened, "openat", $"\"{path}\""));
            if (Clone(source, file)) return true;
            if (!_links)
            {
                Syscall.Check(FileContent.Copy(source, file, entry.Status.Size, cancellationToken), "copy_file_range", $"\"{path}\"");
                Counts = Counts with { Copied = Counts.Copied + 1 };
                return true;
            }
        }

        Syscall.Check(FileEntries.Remove(target, entry.Name), "unlinkat", $"\"{path}\"");
        if (!Syscall.IsError(FileEntries.AddName(entry.Holder, entry.SourceName, target, entry.Name)))
        {
            Counts = Counts with { Linked = Counts.Linked + 1 };
            return false;
        }

        // EXDEV, or EMLINK where it has as many names as it can: this file, and the next, are copied.
        _links = false;
        bool copied = CopyFile(entry, target, path);
        return copied;
    }

    private bool Clone(FileDescriptor source, FileDescriptor file)
    {
        if (!_clones) return false;
        _clones = !Syscall.IsError(ReflinkCalls.Clone(source, file));
        if (_clones) Counts = Counts with { Cloned = Counts.Cloned + 1 };
        return _clones;
    }
}
