using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation.Images;

/// <summary>
/// Unpacked layers over each other, as far as their directories go: which layer says what a directory of the merged tree is like. A
/// layer that has files in a directory and no entry of it says nothing of it, and those below do. For one thread.
/// </summary>
internal sealed class LayerStack : IDisposable
{
    private readonly List<(FileDescriptor Top, HashSet<byte[]> Undescribed)> _layers = []; // the topmost first

    /// <param name="trees">From the lowest to the topmost.</param>
    /// <exception cref="ImageException">One cannot be read.</exception>
    internal LayerStack(IEnumerable<string> trees)
    {
        try
        {
            foreach (string tree in trees.Reverse()) _layers.Add((StoreCalls.OpenDirectory(tree), new(LayerFiles.ReadUndescribed(tree), NameComparer.Instance)));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public void Dispose() => _layers.ForEach(layer => layer.Top.Dispose());

    /// <summary>
    /// The directories of the merged tree that the topmost layer that has them says nothing of, and another does; with all that they
    /// are in, each before those that are in it.
    /// </summary>
    /// <exception cref="LinuxException">A directory cannot be read.</exception>
    internal IReadOnlyCollection<byte[]> FindHidden(CancellationToken cancellationToken)
    {
        SortedSet<byte[]> hidden = new(NameComparer.Instance);
        foreach (byte[] name in _layers.SelectMany(layer => layer.Undescribed).Distinct(NameComparer.Instance))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using FileDescriptor? says = Describing(name, out bool isTopmost);
            if (says is null || isTopmost) continue;
            for (int end = name.Length; end > 0 && hidden.Add(name[..end]); end = Math.Max(0, name.AsSpan(0, end).LastIndexOf((byte)'/'))) ;
            hidden.Add([]);
        }

        return hidden;
    }

    /// <summary>The directory of the layer that says what a directory of the merged tree is like.</summary>
    /// <param name="name">Its name; empty for the top.</param>
    /// <param name="isTopmost">Whether no layer above has it.</param>
    /// <returns>Null where the tree has none. The caller's.</returns>
    /// <exception cref="LinuxException">A directory cannot be read.</exception>
    internal FileDescriptor? Describing(byte[] name, out bool isTopmost)
    {
        List<byte[]> steps = TarPath.Parse(name, int.MaxValue);
        FileDescriptor? topmost = null;
        foreach ((FileDescriptor top, HashSet<byte[]> undescribed) in _layers)
        {
            FileDescriptor? found = Find(top, steps, out bool hidesBelow);
            if (found is not null && !undescribed.Contains(name))
            {
                isTopmost = topmost is null;
                topmost?.Dispose();
                return found;
            }

            if (topmost is null) topmost = found;
            else found?.Dispose();
            if (hidesBelow) break;
        }

        isTopmost = true; // nobody describes it: it is as the topmost has made it
        return topmost;
    }

    /// <summary>A directory of one layer; null where it has none.</summary>
    /// <param name="top">Of the layer.</param>
    /// <param name="steps">The way.</param>
    /// <param name="hidesBelow">Whether what is on the way hides what the layers below have there.</param>
    private static FileDescriptor? Find(FileDescriptor top, List<byte[]> steps, out bool hidesBelow)
    {
        hidesBelow = false;
        FileDescriptor directory = Descriptors.Duplicate(top);
        foreach (byte[] step in steps)
        {
            using FileDescriptor holder = directory;
            hidesBelow |= OverlayForm.IsOpaque(holder);
            nint result = FileEntries.Open(holder, step, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
            if (Syscall.Is(result, Errno.ENOENT)) return null;
            if (Syscall.Is(result, Errno.ENOTDIR) || Syscall.Is(result, Errno.ELOOP))
            {
                hidesBelow = true; // a whiteout, or a file
                return null;
            }

            directory = new((int)Syscall.Check(result, "openat", $"\"{FileName.Text(step)}\""));
        }

        return directory;
    }
}
