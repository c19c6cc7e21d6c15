using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>
/// Looks paths up in read-only layers as in the one tree that their union mount would show, without mounting it. Links lead as
/// for a process whose root it is. The layers must not change meanwhile. For one thread.
/// </summary>
internal sealed class MergedLookup : IDisposable
{
    private const int MostLinks = 40; // as the kernel (path_resolution(7))
    private readonly List<FileDescriptor> _layers = [];

    /// <param name="layers">Directories from the lowest to the topmost.</param>
    /// <exception cref="LinuxException">One cannot be opened.</exception>
    internal MergedLookup(IReadOnlyList<string> layers)
    {
        try
        {
            foreach (string layer in layers.Reverse()) _layers.Add(FileDescriptor.Open(layer, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (FileDescriptor layer in _layers) layer.Dispose();
    }

    /// <summary>The file at a path, as an O_PATH descriptor; of a directory that several layers have, the topmost one. Null where there is none.</summary>
    /// <exception cref="LinuxException">ELOOP where links lead in circles; or a layer cannot be read.</exception>
    internal FileDescriptor? Find(string path) => Walk(path, directory => Descriptors.Duplicate(directory.Top), Opened);

    /// <summary>The directory at a path, as all layers together have it; the caller disposes it, before this. Null where there is none.</summary>
    /// <exception cref="LinuxException">As above.</exception>
    internal MergedDirectory? FindDirectory(string path) => Walk<MergedDirectory>(path, directory => directory.Take(), _ => null);

    private T? Walk<T>(string path, Func<MergedDirectory, T> directory, Func<MergedEntry, T?> file)
        where T : class
    {
        Stack<string> rest = [];
        Push(rest, path);
        MergedTree tree = new([.. _layers.Select(layer => new MergedTree.Branch(layer, WhiteoutForm.Overlay))]);
        Stack<MergedDirectory> above = new([tree.OpenRoot()]);
        try
        {
            int links = 0;
            while (rest.TryPop(out string? name))
            {
                if (name == "..")
                {
                    if (above.Count > 1) above.Pop().Dispose();
                    continue;
                }

                if (above.Peek().Find(FileName.Of(name)) is not { } entry) return null;
                if (entry.IsDirectory)
                {
                    above.Push(above.Peek().Enter(entry));
                    continue;
                }

                if (entry.Status.Type != FileType.SymbolicLink) return rest.Count == 0 ? file(entry) : null;
                if (++links > MostLinks) throw new LinuxException("open", $"\"{path}\"", Errno.ELOOP);
                string target = TargetOf(entry);
                while (target.StartsWith('/') && above.Count > 1) above.Pop().Dispose();
                Push(rest, target);
            }

            return directory(above.Peek());
        }
        finally
        {
            foreach (MergedDirectory passed in above) passed.Dispose();
        }
    }

    private static void Push(Stack<string> rest, string path)
    {
        foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
            if (name != ".") rest.Push(name);
    }

    private static FileDescriptor Opened(MergedEntry entry) => new((int)Syscall.Check(FileEntries.Open(entry.Holder, entry.SourceName, Abi.O_PATH), "open", $"\"{FileName.Text(entry.Name)}\""));

    private static string TargetOf(MergedEntry entry)
    {
        byte[] target = new byte[Abi.PATH_MAX];
        nint length = Syscall.Check(FileEntries.LinkTarget(entry.Holder, entry.SourceName, target), "readlink", $"\"{FileName.Text(entry.Name)}\"");
        return System.Text.Encoding.UTF8.GetString(target.AsSpan(0, (int)length));
    }
}
