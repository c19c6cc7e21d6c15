using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation.Images;

/// <summary>Contents and what is said of files.</summary>
internal sealed partial class TreeWriter
{
    private void WriteFile(FileDescriptor directory, byte[] name, List<byte[]> steps, TarEntry entry, TarReader archive)
    {
        if (entry.Size > _options.Bounds.Bytes - _sizes) throw new ImageException(ImageErrorReason.TooLarge, $"The files of the layer are larger than {_options.Bounds.Bytes} bytes together: '{entry}' has {entry.Size}");
        _sizes += entry.Size;
        using FileDescriptor file = MakeFile(directory, name, steps, entry);
        if (entry.Data is { } data) WriteSparse(file, entry, data, archive);
        else WriteAll(file, entry, archive);
        Describe(file, entry);
    }

    private FileDescriptor MakeFile(FileDescriptor directory, byte[] name, List<byte[]> steps, TarEntry entry)
    {
        // As it is to be, where that can be said here. An unprivileged user must be able to write the attributes too.
        uint mode = _options.Privileged ? entry.Mode & Permissions : OwnersReadAndWrite;
        return new((int)Check(Put(directory, name, steps, () => FileEntries.Open(directory, name, Abi.O_WRONLY | Abi.O_CREAT | Abi.O_EXCL, mode)), "open", entry));
    }

    private void WriteAll(FileDescriptor file, TarEntry entry, TarReader archive)
    {
        for (long left = entry.Size; left > 0;)
        {
            int count = Fill(archive, (int)Math.Min(left, _buffer.Length));
            Write(file, count, entry);
            left -= count;
        }
    }

    private void WriteSparse(FileDescriptor file, TarEntry entry, List<(long Offset, long Length)> data, TarReader archive)
    {
        foreach ((long offset, long length) in data)
        {
            Check(FileEntries.Seek(file, offset), "lseek", entry);
            for (long left = length; left > 0;)
            {
                int count = Fill(archive, (int)Math.Min(left, _buffer.Length));
                Write(file, count, entry);
                left -= count;
            }
        }

        Check(FileEntries.SetSize(file, entry.Size), "ftruncate", entry);
    }

    private int Fill(TarReader archive, int wanted)
    {
        for (int at = 0; at < wanted;) at += archive.Read(_buffer.AsSpan(at, wanted - at)); // it throws at the end
        return wanted;
    }

    private void Write(FileDescriptor file, int count, TarEntry entry)
    {
        for (int written = 0; written < count;)
            written += (int)Check(Descriptors.TryWrite(file, _buffer.AsSpan(written, count - written)), "write", entry);
    }

    /// <summary>Owner, attributes, mode and time of an open file; mode and time of a directory when its contents are there.</summary>
    /// <param name="file">Not an O_PATH descriptor.</param>
    /// <param name="entry">What is said of it.</param>
    /// <param name="isDirectory">Whether it is one.</param>
    private void Describe(FileDescriptor file, TarEntry entry, bool isDirectory = false)
    {
        // It is asked what it is, and not told again: that takes a tenth of the time, for thousands of files.
        FileStatus status = FileStatus.Of(file);

        // The owner first: a change of it takes set-user-ID bits and capabilities away (chown(2)).
        if (!_options.Privileged) Check(FileOwnership.Record(file, entry.Uid, entry.Gid), "setxattr", entry);
        else if (status.Uid != entry.Uid || status.Gid != entry.Gid) Check(FileEntries.ChangeOwner(file, entry.Uid, entry.Gid), "chown", entry);
        foreach ((byte[] name, byte[] value) in entry.Attributes)
            if (MaySet(name)) Check(FileEntries.SetAttribute(file, [.. name, 0], value), "setxattr", entry);
        uint mode = entry.Mode;
        if (!_options.Privileged)
        {
            // Who owns it must be able to read it, to make it an image again.
            mode |= isDirectory ? OwnersAll : OwnersRead;
            if (mode != entry.Mode && entry.Type is TarType.Regular or TarType.Directory) Check(FileOwnership.RecordStat(file, (uint)(isDirectory ? Abi.S_IFDIR : Abi.S_IFREG) | entry.Mode), "setxattr", entry);
        }

        if (isDirectory)
        {
            _undescribed.Remove(status.Inode);
            _late[status.Inode] = new(entry.Name, mode, entry.Modified);
            return;
        }

        if (status.Mode != mode || entry.Attributes.Count > 0) Check(FileEntries.ChangeMode(file, mode), "chmod", entry); // an access list may have changed it
        Check(FileEntries.ChangeTimes(file, entry.Modified, entry.Modified), "utimensat", entry);
    }

    /// <summary>Of a link, a FIFO or a device, which are not opened.</summary>
    private void DescribeByName(FileDescriptor directory, byte[] name, TarEntry entry)
    {
        if (_options.Privileged)
        {
            Check(FileEntries.ChangeOwner(directory, name, entry.Uid, entry.Gid), "chown", entry);
            foreach ((byte[] attribute, byte[] value) in entry.Attributes)
                if (MaySet(attribute) && !attribute.AsSpan().StartsWith("user."u8)) Check(FileEntries.SetAttribute(directory, name, [.. attribute, 0], value), "setxattr", entry); // user.* are of files and directories alone (xattr(7))
        }

        if (entry.Type != TarType.SymbolicLink) Check(FileEntries.ChangeModeFollowing(directory, name, entry.Mode), "chmod", entry); // just made, and no link
        Check(FileEntries.ChangeTimes(directory, name, entry.Modified, entry.Modified), "utimensat", entry);
    }

    /// <summary>Overlayfs's own attributes would hide or redirect what is below; the records of owners are this library's.</summary>
    private bool MaySet(ReadOnlySpan<byte> attribute) =>
        !OverlayForm.IsOwn(attribute) && !FileOwnership.IsOwn(attribute) && (_options.Privileged ? !attribute.StartsWith("security.selinux"u8) : attribute.StartsWith("user."u8));

    /// <summary>A whiteout: <c>.wh.NAME</c> removes, <c>.wh..wh..opq</c> hides all (image-spec, layer.md); other <c>.wh..wh.</c> names are AUFS's own.</summary>
    private void Hide(FileDescriptor directory, byte[] name, TarEntry entry)
    {
        if (name.AsSpan().SequenceEqual(".wh..wh..opq\0"u8))
        {
            using FileDescriptor self = Descriptors.Duplicate(directory);
            Check(OverlayForm.MakeOpaque(self), "setxattr", entry);
            return;
        }

        if (name.AsSpan().StartsWith(".wh..wh."u8)) return;
        byte[] gone = name[4..];
        if (gone.Length == 1 || gone.AsSpan().SequenceEqual(".\0"u8) || gone.AsSpan().SequenceEqual("..\0"u8)) throw new ImageException(ImageErrorReason.UnsafeEntry, $"The archive has the whiteout '{entry}', which names no file");
        nint result = OverlayForm.MakeWhiteout(directory, gone);
        if (!Syscall.Is(result, Errno.EEXIST))
        {
            Check(result, "mknod", entry);
            return;
        }

        // The layer has one of its own of that name: it alone is there, and nothing of those below it.
        Check(FileEntries.Status(directory, gone, out FileStatus there), "statx", entry);
        if (there.Type != FileType.Directory) return;
        using FileDescriptor own = new((int)Check(FileEntries.Open(directory, gone, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY), "open", entry));
        Check(OverlayForm.MakeOpaque(own), "setxattr", entry);
        _undescribed.Remove(FileStatus.Of(own).Inode); // those below are of another directory
    }
}
