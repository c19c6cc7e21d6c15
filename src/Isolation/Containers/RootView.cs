using System.Collections.Immutable;
using System.Text;
using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation;

/// <summary>What a container will see as its root, looked at from outside before it is there. No link leads out of it. For one thread.</summary>
internal abstract class RootView : IDisposable
{
    /// <exception cref="LinuxException">It cannot be told.</exception>
    internal abstract bool Exists(string path);

    /// <exception cref="LinuxException">There is no such file, or it is none of the regular ones, or larger than allowed.</exception>
    internal abstract string ReadAllText(string path, int maxBytes);

    public abstract void Dispose();
}

/// <summary>One directory.</summary>
internal sealed class DirectoryView(FileDescriptor directory) : RootView
{
    internal override bool Exists(string path) => ContainedPath.Exists(directory, path);

    internal override string ReadAllText(string path, int maxBytes) => ContainedPath.ReadAllText(directory, path, maxBytes);

    public override void Dispose() => directory.Dispose();
}

/// <summary>Layers, opened when something is looked up.</summary>
internal sealed class LayersView(ImmutableArray<string> layers) : RootView
{
    private MergedLookup? _tree;

    private MergedLookup Tree => _tree ??= new(layers);

    internal override bool Exists(string path)
    {
        using FileDescriptor? found = Tree.Find(path);
        return found is not null;
    }

    internal override string ReadAllText(string path, int maxBytes)
    {
        using FileDescriptor found = Tree.Find(path) ?? throw new LinuxException("open", $"\"{path}\"", Errno.ENOENT);
        return Encoding.UTF8.GetString(ContainedPath.ReadFound(found, path, maxBytes));
    }

    public override void Dispose() => _tree?.Dispose();
}
