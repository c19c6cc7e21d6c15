using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation.Images;

/// <summary>
/// Writes the entries of a layer into a directory that was empty, whiteouts in overlayfs's form. Every step of every name is
/// taken from a directory that is a descriptor, and where a link of the layer is in the way it leads within the directory: whatever the
/// archive says, nothing outside is touched. For one thread.
/// </summary>
internal sealed partial class TreeWriter : IDisposable
{
    private const uint OwnersAll = 0x1C0, OwnersRead = 0x100, OwnersReadAndWrite = 0x180, Permissions = 0x1FF, UsualDirectory = 0x1ED /* 0755 */;

    private readonly FileDescriptor _top;
    private readonly UnpackOptions _options;
    private readonly OpenDirectories _directories;
    private readonly OpenDirectories _sources; // of hard links, which lead elsewhere than the entries around them
    private readonly Dictionary<ulong, LateDirectory> _late = []; // by inode: what came last of a directory holds
    private readonly Dictionary<ulong, byte[]> _undescribed = []; // by inode: directories that no entry was of yet, by their names without a NUL
    private readonly byte[] _buffer = new byte[128 << 10];
    private FileDescriptor? _linked;
    private long _sizes;

    internal TreeWriter(FileDescriptor top, UnpackOptions options)
    {
        (_top, _options) = (top, options);
        (_directories, _sources) = (new(top), new(top));
        InheritNothing();
        _undescribed.Add(FileStatus.Of(top).Inode, []);
    }

    internal long Entries { get; private set; }

    /// <summary>The directories that entries are in, and that no entry was of: what they are like the layers below say. The top has the empty name.</summary>
    internal IReadOnlyList<byte[]> Undescribed { get; private set; } = [];

    public void Dispose()
    {
        _directories.Dispose();
        _sources.Dispose();
        _linked?.Dispose();
    }

    /// <exception cref="ImageException">The entry is unsafe, damaged, too large, or cannot be written.</exception>
    internal void Write(TarEntry entry, TarReader archive)
    {
        if (++Entries > _options.Bounds.Entries) throw new ImageException(ImageErrorReason.TooLarge, $"The layer has more than {_options.Bounds.Entries} entries");
        List<byte[]> steps = TarPath.Parse(entry.Name, _options.Bounds.Depth);
        if (steps.Count == 0)
        {
            if (entry.Type != TarType.Directory) throw new ImageException(ImageErrorReason.UnsafeEntry, $"The archive has the name '{entry}' for something that is no directory");
            using FileDescriptor top = Descriptors.Duplicate(_top);
            Describe(top, entry, isDirectory: true);
            return;
        }

        FileDescriptor directory = Parent(steps, entry);
        byte[] name = steps[^1];
        if (name.AsSpan().StartsWith(".wh."u8))
        {
            Hide(directory, name, entry);
            return;
        }

        switch (entry.Type)
        {
            case TarType.Directory: MakeDirectory(directory, name, steps, entry); break;
            case TarType.HardLink: AddName(directory, name, steps, entry); break;
            case TarType.SymbolicLink:
                Check(Put(directory, name, steps, () => FileEntries.MakeLink([.. entry.LinkTarget, 0], directory, name)), "symlink", entry);
                DescribeByName(directory, name, entry);
                break;
            case TarType.Regular: WriteFile(directory, name, steps, entry, archive); break;
            default: MakeNode(directory, name, steps, entry); break;
        }
    }

    /// <summary>The modes and times of directories, which what was written into them has changed, or they would have forbidden.</summary>
    internal void Finish()
    {
        foreach ((ulong inode, LateDirectory late) in _late)
        {
            if (!IsStill(inode, late.Name, out FileDescriptor directory)) continue;
            Check(FileEntries.ChangeMode(directory, late.Mode), "chmod", late.Name);
            Check(FileEntries.ChangeTimes(directory, late.Modified, late.Modified), "utimensat", late.Name);
        }

        Undescribed = [.. _undescribed.Where(each => IsStill(each.Key, each.Value, out _)).Select(each => each.Value).Order(NameComparer.Instance)];
    }

    /// <summary>Whether a directory is still there, and no other entry has replaced it.</summary>
    private bool IsStill(ulong inode, byte[] name, out FileDescriptor directory)
    {
        List<byte[]> steps = TarPath.Parse(name, _options.Bounds.Depth);
        nint result = _directories.Find(steps, steps.Count, null, out directory);
        if (IsNone(result)) return TryFindLinked(steps, steps.Count, out directory) && FileStatus.Of(directory).Inode == inode;
        Check(result, "open", name);
        return FileStatus.Of(directory).Inode == inode;
    }

    /// <summary>Whether there is no directory of that name; anything else that fails says nothing.</summary>
    private static bool IsNone(nint result) => Syscall.Is(result, Errno.ENOENT) || Syscall.Is(result, Errno.ENOTDIR) || Syscall.Is(result, Errno.ELOOP);

    /// <summary>What lies around a store says nothing of what is in an image: a group and an access list that are handed down, or a mask of modes.</summary>
    private void InheritNothing()
    {
        Remove("system.posix_acl_default\0"u8);
        Remove("system.posix_acl_access\0"u8);
        if (_options.Privileged) Check(FileEntries.ChangeOwner(_top, 0, 0), "chown", "."u8);
        Check(FileEntries.ChangeMode(_top, UsualDirectory), "chmod", "."u8);

        void Remove(ReadOnlySpan<byte> attribute)
        {
            nint result = FileEntries.RemoveAttribute(_top, ".\0"u8, attribute);
            if (!Syscall.Is(result, Errno.ENODATA) && !Syscall.Is(result, Errno.EOPNOTSUPP)) Check(result, "removexattr", "."u8);
        }
    }

    private FileDescriptor Parent(List<byte[]> steps, TarEntry entry)
    {
        nint result = _directories.Find(steps, steps.Count - 1, (holder, name, depth) => MakeParent(holder, name, Joined(steps, depth + 1)), out FileDescriptor directory);
        if (!Syscall.Is(result, Errno.ELOOP) && !Syscall.Is(result, Errno.ENOTDIR))
        {
            Check(result, "open", entry);
            return directory;
        }

        return TryFindLinked(steps, steps.Count - 1, out directory) ? directory
            : throw new ImageException(ImageErrorReason.InvalidContent, $"The archive has the name '{entry}', and no directory that it would be in");
    }

    /// <summary>A link of this layer is in the way: it leads where it would for a process whose root this is.</summary>
    private bool TryFindLinked(List<byte[]> steps, int count, out FileDescriptor directory)
    {
        directory = _top;
        nint result = OwnFileCalls.Instance.Open(_top, Joined(steps, count), Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY, 0, Abi.RESOLVE_IN_ROOT | Abi.RESOLVE_NO_MAGICLINKS);
        if (IsNone(result)) return false;
        Check(result, "open", steps[count - 1]);
        _linked?.Dispose();
        directory = _linked = new((int)result);
        return true;
    }

    private nint MakeParent(FileDescriptor directory, byte[] name, byte[] path)
    {
        nint result = FileEntries.MakeDirectory(directory, name, UsualDirectory);
        if (Syscall.Is(result, Errno.EEXIST)) return ReplaceWhiteout(directory, name);
        if (Syscall.IsError(result)) return result;
        FileEntries.ChangeModeFollowing(directory, name, UsualDirectory); // whatever the umask; just made, and no link
        result = FileEntries.Status(directory, name, out FileStatus status);
        if (Syscall.IsError(result)) return result;
        if (_undescribed.Count > _options.Bounds.Entries) throw new ImageException(ImageErrorReason.TooLarge, $"The layer has more than {_options.Bounds.Entries} directories that no entry is of");
        _undescribed[status.Inode] = path[..^1];
        return result;
    }

    /// <summary>What is below was removed, and this is another directory.</summary>
    private static nint ReplaceWhiteout(FileDescriptor directory, byte[] name)
    {
        nint result = FileEntries.Status(directory, name, out FileStatus there);
        if (Syscall.IsError(result) || !OverlayForm.IsWhiteout(there)) return -(int)Errno.ENOTDIR;
        result = FileEntries.Remove(directory, name);
        if (!Syscall.IsError(result)) result = FileEntries.MakeDirectory(directory, name, UsualDirectory);
        if (!Syscall.IsError(result)) result = FileEntries.ChangeModeFollowing(directory, name, UsualDirectory);
        if (!Syscall.IsError(result)) result = FileEntries.Open(directory, name, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
        if (Syscall.IsError(result)) return result;
        using FileDescriptor made = new((int)result);
        return OverlayForm.MakeOpaque(made);
    }

    /// <summary>Makes what has a name; what has it already is removed.</summary>
    private nint Put(FileDescriptor directory, byte[] name, List<byte[]> steps, Func<nint> make)
    {
        nint result = make();
        if (!Syscall.Is(result, Errno.EEXIST)) return result;
        result = Remove(directory, name, steps);
        return Syscall.IsError(result) ? result : make();
    }

    private nint Remove(FileDescriptor directory, byte[] name, List<byte[]> steps)
    {
        _directories.Forget(steps);
        _sources.Forget(steps);
        return TreeRemoval.TryRemove(directory, name);
    }

    private void MakeDirectory(FileDescriptor directory, byte[] name, List<byte[]> steps, TarEntry entry)
    {
        nint result = FileEntries.MakeDirectory(directory, name, OwnersAll);
        bool hides = false;
        if (Syscall.Is(result, Errno.EEXIST))
        {
            Check(FileEntries.Status(directory, name, out FileStatus there), "statx", entry);
            if (there.Type != FileType.Directory)
            {
                hides = OverlayForm.IsWhiteout(there); // what is below was removed, and this is another directory
                Check(Remove(directory, name, steps), "unlink", entry);
                Check(FileEntries.MakeDirectory(directory, name, OwnersAll), "mkdir", entry);
            }
        }
        else
        {
            Check(result, "mkdir", entry);
        }

        using FileDescriptor made = new((int)Check(FileEntries.Open(directory, name, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY), "open", entry));
        if (hides) Check(OverlayForm.MakeOpaque(made), "setxattr", entry);
        Describe(made, entry, isDirectory: true);
    }

    /// <summary>A second name of a file of this layer. What it is the first name says.</summary>
    private void AddName(FileDescriptor directory, byte[] name, List<byte[]> steps, TarEntry entry)
    {
        List<byte[]> target = TarPath.Parse(entry.LinkTarget, _options.Bounds.Depth);
        nint result = target.Count == 0 ? -(int)Errno.EISDIR : _sources.Find(target, target.Count - 1, null, out _);
        FileDescriptor from = _top;
        if (!Syscall.IsError(result))
        {
            _sources.Find(target, target.Count - 1, null, out from);
            result = FileEntries.Status(from, target[^1], out FileStatus status);
            if (!Syscall.IsError(result) && (status.Type == FileType.Directory || OverlayForm.IsWhiteout(status))) result = -(int)Errno.EISDIR;
            if (!Syscall.IsError(result) && IsSame(target, steps)) return; // a name of itself changes nothing
        }

        if (!Syscall.IsError(result)) result = Put(directory, name, steps, () => FileEntries.AddName(from, target[^1], directory, name));
        if (Syscall.Is(result, Errno.ENOENT) || Syscall.Is(result, Errno.ENOTDIR) || Syscall.Is(result, Errno.ELOOP) || Syscall.Is(result, Errno.EISDIR))
            throw new ImageException(ImageErrorReason.InvalidContent, $"The archive has '{entry}' as another name of '{TarPath.Shown(entry.LinkTarget)}', which is no file of it", Syscall.Failure(result, "linkat", $"\"{entry}\""));
        Check(result, "linkat", entry);
    }

    private void MakeNode(FileDescriptor directory, byte[] name, List<byte[]> steps, TarEntry entry)
    {
        uint kind = entry.Type switch { TarType.Fifo => (uint)Abi.S_IFIFO, TarType.CharacterDevice => Abi.S_IFCHR, _ => Abi.S_IFBLK };
        if (entry.Type == TarType.CharacterDevice && entry.Device == (0, 0)) throw new ImageException(ImageErrorReason.UnsafeEntry, $"The archive has the device '{entry}' with the number 0:0, which would hide what is below it");
        if (entry.Type == TarType.Fifo || _options.Privileged)
        {
            Check(Put(directory, name, steps, () => FileEntries.MakeNode(directory, name, kind | entry.Mode, entry.Device)), "mknod", entry);
            DescribeByName(directory, name, entry);
            return;
        }

        using FileDescriptor file = MakeFile(directory, name, steps, entry);
        Check(FileOwnership.RecordStat(file, kind | entry.Mode, entry.Device), "setxattr", entry);
        Describe(file, entry);
    }

    private static bool IsSame(List<byte[]> one, List<byte[]> other) => one.Count == other.Count && one.Zip(other).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));

    private static byte[] Joined(List<byte[]> steps, int count)
    {
        List<byte> path = [];
        for (int i = 0; i < count; i++)
        {
            path.AddRange(steps[i].AsSpan(0, steps[i].Length - 1));
            path.Add((byte)(i == count - 1 ? 0 : '/'));
        }

        return [.. path];
    }

    private static nint Check(nint result, string call, TarEntry entry) => Check(result, call, entry.Name);

    private static nint Check(nint result, string call, ReadOnlySpan<byte> name) =>
        Syscall.IsError(result) ? throw ImageException.Of(Syscall.Failure(result, call, $"\"{TarPath.Shown(name)}\""), $"Cannot unpack '{TarPath.Shown(name)}'") : result;

    /// <summary>What is set of a directory when all else is there. There can be many.</summary>
    private readonly record struct LateDirectory(byte[] Name, uint Mode, (long Seconds, uint Nanoseconds) Modified);
}
