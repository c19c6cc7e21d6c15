namespace Isolation.Linux;

/// <summary>The kinds of files but directories.</summary>
internal sealed unsafe partial class TreeCopy
{
    private void CopyFile(in Place place, FileDescriptor found, FileDescriptor from, byte[] name, in FileStatus status)
    {
        if (status.Links > 1 && AddName(place, status)) return;
        if (status.Size > _options.MostBytes - _sizes) throw new LinuxException("copy", Quoted(place.Level, name), Errno.EFBIG, $"All files together are larger than {_options.MostBytes} bytes.");
        _sizes += status.Size;
        nint result = _source.Reopen(found, from, name, Abi.O_RDONLY | Abi.O_NONBLOCK | Abi.O_NOCTTY);
        using FileDescriptor content = new((int)Check(result, "open", place.Level, name));

        // Into a name of our own, so that nobody finds half a file, and whatever had the name before is there until the end.
        byte[] temporary = place.IsOurs ? place.Name : TemporaryName();
        result = _target.Open(place.Directory, temporary, Abi.O_RDWR | Abi.O_CREAT | Abi.O_EXCL | NoFollow, 0x180 /* 0600 until it is filled */);
        if (place.IsOurs && Syscall.Is(result, Errno.EEXIST))
        {
            temporary = TemporaryName();
            result = _target.Open(place.Directory, temporary, Abi.O_RDWR | Abi.O_CREAT | Abi.O_EXCL | NoFollow, 0x180);
        }

        using FileDescriptor file = new((int)Check(result, "create", place.Level, place.Name));
        bool complete = false;
        try
        {
            Counts.Bytes += (long)Check(FileContent.Copy(content, file, status.Size, cancellationToken), "write", place.Level, place.Name);
            Check(ExtendedAttributes.Copy(content, _target, file), "setxattr", place.Level, place.Name);
            Check(_target.ChangeMode(file, Kept(status.Mode)), "chmod", place.Level, place.Name);
            Check(_target.ChangeModified(place.Directory, temporary, status.Modified), "utimensat", place.Level, place.Name);
            if (temporary != place.Name) Check(_target.Rename(place.Directory, temporary, place.Name), "rename", place.Level, place.Name);
            complete = true;
        }
        finally
        {
            if (!complete) _target.Remove(place.Directory, temporary);
        }

        Counts.Files++;
        if (status.Links > 1) _named[(status.Inode, status.Device)] = (place.Level, place.Name, FileStatus.Of(file));
    }

    /// <summary>
    /// Gives the copy of a file that has been met before another name. False where it was not met, or its copy is not found
    /// where it was put, or may not have another name: then it is copied once more.
    /// </summary>
    private bool AddName(in Place place, in FileStatus status)
    {
        if (!_named.TryGetValue((status.Inode, status.Device), out var first)) return false;
        using FileDescriptor? directory = Find(first.Level);
        FileDescriptor? from = directory ?? first.Level?.Target;
        if (from is null) return false;
        nint found = _target.Open(from, first.Name, Abi.O_PATH | NoFollow);
        if (Syscall.IsError(found)) return false;
        using (FileDescriptor file = new((int)found))
            if (!FileStatus.Of(file).IsSameFile(first.Status)) return false;
        FileDescriptor to = place.Directory;
        if (Syscall.IsError(Put(place, name => _target.AddName(from, first.Name, to, name)))) return false;
        Counts.Files++;
        return true;
    }

    /// <summary>A directory of the target that was left before; null where it is held still, or not there any more.</summary>
    private FileDescriptor? Find(Level? level)
    {
        if (level is null or { Target: not null }) return null;
        Stack<byte[]> names = [];
        for (; level is { Target: null }; level = level.Parent) names.Push(level.Name);
        FileDescriptor? directory = level is null ? null : Descriptors.Duplicate(level.Target!);
        while (directory is not null && names.TryPop(out byte[]? name))
        {
            using FileDescriptor above = directory;
            nint result = _target.Open(above, name, Abi.O_PATH | NoFollow | TargetAbi.Current.O_DIRECTORY);
            directory = Syscall.IsError(result) ? null : new((int)result);
        }

        return directory;
    }

    private void CopyLink(in Place place, FileDescriptor found, in FileStatus status)
    {
        byte[] text = new byte[Abi.PATH_MAX];
        nint length;
        using (var held = found.Hold())
        {
            fixed (byte* bytes = text, empty = "\0"u8) length = Syscall.readlinkat(held.Number, empty, bytes, (nuint)text.Length - 1);
        }

        Check(length, "readlink", place.Level, place.Name);
        byte[] target = text[..((int)length + 1)];
        FileDescriptor to = place.Directory;
        Check(Put(place, name => _target.MakeLink(target, to, name)), "symlink", place.Level, place.Name);
        Check(_target.ChangeModified(to, place.Name, status.Modified), "utimensat", place.Level, place.Name);
        Counts.Links++;
    }

    private void CopyFifo(in Place place, in FileStatus status)
    {
        FileDescriptor to = place.Directory;
        uint mode = Kept(status.Mode);
        Check(Put(place, name => _target.MakeNode(to, name, Abi.S_IFIFO | mode)), "mknod", place.Level, place.Name);
        ChangeModeOfFifo(place, mode);
        Check(_target.ChangeModified(to, place.Name, status.Modified), "utimensat", place.Level, place.Name);
        Counts.Files++;
    }

    /// <summary>A second time, because the umask took from the first. A FIFO opened for both waits for nobody.</summary>
    private void ChangeModeOfFifo(in Place place, uint mode)
    {
        using FileDescriptor found = new((int)Check(_target.Open(place.Directory, place.Name, Abi.O_PATH | NoFollow), "open", place.Level, place.Name));
        FileStatus status = FileStatus.Of(found);
        if (status.Type != FileType.Fifo || status.Mode == mode) return;
        nint result = _target.Reopen(found, place.Directory, place.Name, Abi.O_RDONLY | Abi.O_NONBLOCK);
        using FileDescriptor fifo = new((int)Check(result, "open", place.Level, place.Name));
        Check(_target.ChangeMode(fifo, mode), "chmod", place.Level, place.Name);
    }

    /// <summary>Makes a file under its name; where there is one, under another, and then in its place.</summary>
    private nint Put(in Place place, Func<byte[], nint> make)
    {
        nint result = make(place.Name);
        if (!Syscall.Is(result, Errno.EEXIST)) return result;
        byte[] temporary = TemporaryName();
        result = make(temporary);
        if (Syscall.IsError(result)) return result;
        result = _target.Rename(place.Directory, temporary, place.Name);
        // Also where it succeeded: to rename one name of a file to another of the same file does nothing (rename(2)).
        _target.Remove(place.Directory, temporary);
        return result;
    }
}
