using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>A directory as it is seen through all branches. Holds a descriptor for each branch that has it.</summary>
internal sealed class MergedDirectory : IDisposable
{
    private const long MostNames = 1 << 24;

    private readonly MergedTree _tree;
    private readonly List<(int Branch, FileDescriptor Directory)> _parts;

    internal MergedDirectory(MergedTree tree, string path, List<(int, FileDescriptor)> parts) => (_tree, Path, _parts) = (tree, path, parts);

    /// <summary>For messages.</summary>
    internal string Path { get; }

    /// <summary>The topmost, which gives the directory its owner, mode and times.</summary>
    internal FileDescriptor Top => _parts[0].Directory;

    /// <summary>What is in it, in the order of the bytes of the names. Entries are of use until it is disposed.</summary>
    internal List<MergedEntry> Read()
    {
        Dictionary<byte[], List<int>> holders = new(NameComparer.Instance);
        for (int i = 0; i < _parts.Count; i++)
        {
            // Read from the start, whoever has read it before.
            using FileDescriptor listed = MergedTree.OpenDirectory(_parts[i].Directory, ".\0"u8, Path);
            Syscall.Check(DirectoryListing.TryRead(listed, MostNames, out List<byte[]> names), "getdents64", $"\"{Path}\"");
            bool isDotted = DotForm.IsReadIn(FormOf(i));
            foreach (byte[] name in names)
            {
                if (isDotted && DotForm.IsOwn(name)) continue;
                byte[] key = isDotted && DotForm.IsWhiteout(name) ? DotForm.Hidden(name) : name;
                if (!holders.TryGetValue(key, out List<int>? parts)) holders[key] = parts = [];
                if (parts.Count == 0 || parts[^1] != i) parts.Add(i);
            }
        }

        List<MergedEntry> entries = [];
        foreach ((byte[] name, List<int> parts) in holders)
            if (Find(name, parts) is { } entry) entries.Add(entry);
        entries.Sort((one, other) => NameComparer.Instance.Compare(one.Name, other.Name));
        return entries;
    }

    /// <summary>One name; null where there is none, or it is gone.</summary>
    internal MergedEntry? Find(byte[] name) => Find(name, Enumerable.Range(0, _parts.Count));

    /// <summary>A directory in it.</summary>
    internal MergedDirectory Enter(MergedEntry entry)
    {
        List<(int, FileDescriptor)> below = [];
        string path = $"{Path}/{FileName.Text(entry.Name)}";
        try
        {
            foreach (MergedPart part in entry.Parts)
            {
                FileDescriptor opened = MergedTree.OpenDirectory(part.Holder, part.Name, Path);
                below.Add((part.Branch, opened));
                if (FormOf(part) != WhiteoutForm.Overlay || OverlayForm.RedirectOf(opened) is not { } redirect) continue;
                // Beneath, it has another name; what has its new name there is none of it.
                below.AddRange(redirect[0] == '/' ? _tree.Resolve(part.Branch + 1, Names(redirect)) : Beside(part, [.. redirect, 0]));
                break;
            }

            return new MergedDirectory(_tree, path, below);
        }
        catch
        {
            foreach ((_, FileDescriptor part) in below) part.Dispose();
            throw;
        }
    }

    /// <summary>The same directory for another holder; this one is of no use any more.</summary>
    internal MergedDirectory Take() => new(_tree, Path, Release());

    /// <summary>Hands out the descriptors.</summary>
    internal List<(int Branch, FileDescriptor Directory)> Release()
    {
        List<(int, FileDescriptor)> parts = [.. _parts];
        _parts.Clear();
        return parts;
    }

    public void Dispose()
    {
        foreach ((_, FileDescriptor part) in _parts) part.Dispose();
        _parts.Clear();
    }

    private MergedEntry? Find(byte[] name, IEnumerable<int> parts)
    {
        MergedEntry? found = null;
        List<MergedPart> merged = [];
        foreach (int i in parts)
        {
            FileDescriptor directory = _parts[i].Directory;
            WhiteoutForm form = FormOf(i);
            nint result = FileEntries.Status(directory, name, out FileStatus status);
            bool isThere = !Syscall.IsError(result);
            if (!isThere && !Syscall.Is(result, Errno.ENOENT)) Syscall.Check(result, "statx", $"\"{Path}/{FileName.Text(name)}\"");
            if (isThere && OverlayForm.IsReadIn(form) && OverlayForm.IsWhiteout(status)) break;
            if (isThere)
            {
                // A file beneath a directory is hidden by it; what was merged so far is all.
                if (found is not null && status.Type != FileType.Directory) break;
                found ??= new MergedEntry(name, status, directory, name, merged);
                if (status.Type != FileType.Directory) break;
                merged.Add(new(_parts[i].Branch, directory, name, status));
                if (Whiteouts.IsOpaque(directory, name, form) || (form == WhiteoutForm.Overlay && OverlayForm.HasRedirect(directory, name))) break;
            }

            // A whiteout in the same branch hides what is below the branch, and not what is in it (layer.md, "Whiteouts").
            if (DotForm.IsReadIn(form) && DotForm.Hides(directory, name)) break;
        }

        return found;
    }

    /// <summary>A directory that was renamed within this one, in the branches below.</summary>
    private List<(int Branch, FileDescriptor Directory)> Beside(MergedPart part, byte[] name)
    {
        if (Find(name, Enumerable.Range(0, _parts.Count).Where(i => _parts[i].Branch > part.Branch)) is not { IsDirectory: true } entry) return [];
        using MergedDirectory directory = Enter(entry);
        return directory.Release();
    }

    private WhiteoutForm FormOf(int part) => _tree.Branches[_parts[part].Branch].Form;

    private WhiteoutForm FormOf(in MergedPart part) => _tree.Branches[part.Branch].Form;

    private static IEnumerable<byte[]> Names(byte[] path)
    {
        for (int start = 1; start < path.Length;)
        {
            int end = path.AsSpan(start).IndexOf((byte)'/');
            end = end < 0 ? path.Length : start + end;
            if (end > start) yield return [.. path.AsSpan(start, end - start), 0];
            start = end + 1;
        }
    }
}
