using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation.Images;

/// <summary>Contents, and what is said of files.</summary>
internal sealed partial class TreeReader
{
    private void ReadFile(Level level, byte[] name, byte[] path)
    {
        // It does not wait, should it be a FIFO by now.
        nint result = FileEntries.Open(level.Directory, name, Abi.O_RDONLY | Abi.O_NONBLOCK | Abi.O_NOCTTY);
        if (Syscall.Is(result, Errno.ENOENT)) return;
        using FileDescriptor file = new((int)Check(result, "open", path));
        FileStatus status = FileStatus.Of(file);
        if (status.Type != FileType.Regular) throw Changed(path);
        if (status.Links > 1)
        {
            if (_named.TryGetValue((status.Inode, status.Device), out byte[]? first))
            {
                TarEntry other = Described(file, status, path, TarType.HardLink);
                other.Attributes.Clear(); // the first name has them
                other.LinkTarget = first;
                Add(other);
                return;
            }

            _named.Add((status.Inode, status.Device), path);
        }

        TarEntry entry = Described(file, status, path, TarType.Regular);
        if (entry.Type != TarType.Regular)
        {
            Add(entry); // a device that was recorded
            return;
        }

        entry.Size = entry.StoredSize = status.Size;
        if (status.Blocks * 512 < status.Size) FindHoles(file, entry, path);
        Add(entry);
        if (entry.Data is null) Copy(file, 0, entry.Size, path);
        foreach ((long offset, long length) in entry.Data ?? []) Copy(file, offset, length, path);
    }

    private void Copy(FileDescriptor file, long offset, long length, byte[] path)
    {
        while (length > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            nint count = Check(Descriptors.TryReadAt(file, _buffer.AsSpan(0, (int)Math.Min(length, _buffer.Length)), offset), "pread64", path);
            if (count == 0) throw Changed(path);
            archive.Write(_buffer.AsSpan(0, (int)count));
            offset += count;
            length -= count;
        }
    }

    private static void FindHoles(FileDescriptor file, TarEntry entry, byte[] path)
    {
        const int SeekData = 3, SeekHole = 4;
        List<(long, long)> data = [];
        for (long at = 0; at < entry.Size;)
        {
            nint start = FileEntries.Seek(file, at, SeekData);
            if (Syscall.Is(start, Errno.ENXIO)) break; // nothing but a hole is left
            if (Syscall.Is(start, Errno.EINVAL)) return; // the file system tells no holes
            long end = Math.Min(Check(FileEntries.Seek(file, Check(start, "lseek", path), SeekHole), "lseek", path), entry.Size);
            data.Add((start, end - start));
            at = end;
        }

        if (data is [(0, var whole)] && whole == entry.Size) return;
        if (data.Count == 0 || data[^1].Item1 + data[^1].Item2 < entry.Size) data.Add((entry.Size, 0)); // or GNU tar makes the file shorter
        entry.Data = data;
        entry.StoredSize = data.Sum(part => part.Item2);
    }

    /// <summary>Of a file that is open.</summary>
    private TarEntry Described(FileDescriptor file, in FileStatus status, byte[] path, TarType type)
    {
        TarEntry entry = Described(status, path, type);
        if (!options.Privileged)
        {
            (entry.Uid, entry.Gid) = FileOwnership.Owner(file) is var recorded && recorded != default ? recorded : (entry.Uid, entry.Gid);
            if (FileOwnership.Stat(file) is { } stat)
            {
                entry.Mode = stat.Mode & 0xfff;
                if (type == TarType.Regular) (entry.Type, entry.Device) = ((stat.Mode & Abi.S_IFMT) switch { Abi.S_IFCHR => TarType.CharacterDevice, Abi.S_IFBLK => TarType.BlockDevice, _ => type }, stat.Device);
            }
        }

        int length = (int)Check(FileEntries.ListAttributes(file, _attributes), "flistxattr", path);
        foreach (byte[] name in Names(length))
        {
            nint size = FileEntries.GetAttribute(file, name, _value);
            if (!Syscall.Is(size, Errno.ENODATA)) entry.Attributes.Add((name[..^1], _value[..(int)Check(size, "fgetxattr", path)]));
        }

        return entry;
    }

    /// <summary>Of what is not opened.</summary>
    private TarEntry Described(FileDescriptor directory, byte[] name, in FileStatus status, byte[] path, TarType type)
    {
        TarEntry entry = Described(status, path, type);
        int length = (int)Check(FileEntries.ListAttributes(directory, name, _attributes), "llistxattr", path);
        foreach (byte[] attribute in Names(length))
        {
            nint size = FileEntries.GetAttribute(directory, name, attribute, _value);
            if (!Syscall.Is(size, Errno.ENODATA)) entry.Attributes.Add((attribute[..^1], _value[..(int)Check(size, "lgetxattr", path)]));
        }

        return entry;
    }

    private TarEntry Described(in FileStatus status, byte[] path, TarType type)
    {
        (long Seconds, uint Nanoseconds) modified = status.Modified;
        if (options.LatestTime is { } latest && latest.ToUnixTimeSeconds() is var limit && modified.Seconds >= limit) modified = (limit, 0);
        bool isMapped = options.MappedDevice is not { } mapped || mapped == status.Device;
        return new()
        {
            Name = path, Type = type, Mode = status.Mode, Modified = modified,
            Uid = (isMapped ? options.UserOf?.Invoke(status.Uid) : null) ?? (options.Privileged ? status.Uid : 0),
            Gid = (isMapped ? options.GroupOf?.Invoke(status.Gid) : null) ?? (options.Privileged ? status.Gid : 0),
        };
    }

    /// <summary>The attributes that are the file's and no layer's, in the order of their bytes.</summary>
    private List<byte[]> Names(int length)
    {
        List<byte[]> names = [];
        for (int start = 0; start < length;)
        {
            int end = _attributes.AsSpan(start, length - start).IndexOf((byte)0) + start + 1;
            ReadOnlySpan<byte> name = _attributes.AsSpan(start, end - start - 1);
            if (!OverlayForm.IsOwn(name) && !FileOwnership.IsOwn(name) && !name.SequenceEqual("security.selinux"u8)) names.Add(_attributes[start..end]);
            start = end;
        }

        names.Sort(static (one, other) => one.AsSpan().SequenceCompareTo(other));
        return names;
    }

    private static ImageException Changed(byte[] path) => new(ImageErrorReason.Conflict, $"'{TarPath.Shown(path)}' was changed while it was read", remedy: "pause what writes to it (Container.PauseAsync)");
}
