using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>Whether two files are the same to who looks at them, wherever they lie.</summary>
/// <param name="areTimesKept">Whether the time of modification of a directory and of a symbolic link counts.</param>
/// <param name="owners">What an owner and a group of the second file are in the terms of the first; the same where it is null.</param>
internal sealed class FileComparison(bool areTimesKept, (Func<uint, uint> User, Func<uint, uint> Group)? owners)
{
    internal bool AreTimesKept { get; } = areTimesKept;

    private readonly byte[] _ours = new byte[128 << 10], _theirs = new byte[128 << 10];
    private readonly byte[] _names = new byte[Abi.XATTR_LIST_MAX];

    /// <summary>Kind, mode, owner, time of modification, attributes; content, target or device. Of a directory, not what is in it.</summary>
    internal bool AreEqual(MergedEntry one, MergedEntry other, CancellationToken cancellationToken)
    {
        FileStatus a = one.Status, b = other.Status;
        if (a.Type != b.Type || a.Mode != b.Mode) return false;
        (uint user, uint group) = owners is var (userOf, groupOf) ? (userOf(b.Uid), groupOf(b.Gid)) : (b.Uid, b.Gid);
        if (a.Uid != user || a.Gid != group) return false;
        if (a.Modified != b.Modified && (AreTimesKept || a.Type is not (FileType.Directory or FileType.SymbolicLink))) return false;
        if (a.Type == FileType.Regular && a.Size != b.Size) return false;
        if (a.Type is FileType.CharacterDevice or FileType.BlockDevice && a.RawDevice != b.RawDevice) return false;
        if (!HaveEqualAttributes(one, other)) return false;
        return a.Type switch
        {
            FileType.Regular => HaveEqualContent(one, other, cancellationToken),
            FileType.SymbolicLink => TreeFiles.TargetOf(one).AsSpan().SequenceEqual(TreeFiles.TargetOf(other)),
            _ => true,
        };
    }

    private bool HaveEqualContent(MergedEntry one, MergedEntry other, CancellationToken cancellationToken)
    {
        // With metacopy the content is that of the layers below, which is what it is compared with.
        if (one.Status.Size == 0 || OverlayForm.IsMetacopy(one.Holder, one.SourceName) || OverlayForm.IsMetacopy(other.Holder, other.SourceName)) return true;
        using FileDescriptor ours = TreeFiles.OpenFile(one), theirs = TreeFiles.OpenFile(other);
        for (long offset = 0; ;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = Descriptors.ReadAt(ours, _ours, offset);
            int same = 0;
            while (same < count)
            {
                int read = Descriptors.ReadAt(theirs, _theirs.AsSpan(same, count - same), offset + same);
                if (read == 0) return false;
                same += read;
            }

            if (count == 0) return true;
            if (!_ours.AsSpan(0, count).SequenceEqual(_theirs.AsSpan(0, count))) return false;
            offset += count;
        }
    }

    private bool HaveEqualAttributes(MergedEntry one, MergedEntry other)
    {
        List<byte[]> names = TreeFiles.AttributesOf(one, _names);
        List<byte[]> others = TreeFiles.AttributesOf(other, _names);
        if (names.Count != others.Count) return false;
        names.Sort(NameComparer.Instance);
        others.Sort(NameComparer.Instance);
        for (int i = 0; i < names.Count; i++)
        {
            if (!NameComparer.Instance.Equals(names[i], others[i])) return false;
            if (!TreeFiles.AttributeOf(one, names[i], _ours).SequenceEqual(TreeFiles.AttributeOf(other, names[i], _theirs))) return false;
        }

        return true;
    }
}
