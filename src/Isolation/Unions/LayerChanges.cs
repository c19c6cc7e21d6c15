using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation;

/// <summary>What a container has written, as overlayfs keeps it: a directory of its own where another driver keeps it otherwise. Gone when it is disposed.</summary>
internal sealed class LayerChanges : IDisposable
{
    private readonly FileDescriptor _parent;
    private readonly byte[] _name;

    private LayerChanges(FileDescriptor parent, byte[] name, FileDescriptor directory) => (_parent, _name, Directory) = (parent, name, directory);

    internal FileDescriptor Directory { get; }

    /// <param name="union">Whose.</param>
    /// <param name="place">A directory on the same file system, if possible, so that blocks can be shared.</param>
    /// <param name="cancellationToken">Ends it; nothing is left then.</param>
    /// <exception cref="UnionFsException">A file cannot be read or written.</exception>
    internal static LayerChanges Gather(UnionMount union, string place, CancellationToken cancellationToken)
    {
        FileDescriptor parent = FileDescriptor.Open(place, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
        string name = $"changes-{RandomName.Hex(12)}";
        LayerChanges? changes = null;
        try
        {
            WritableDirectory.MakeOne(parent, name, 0x1C0);
            changes = new(parent, FileName.Of(name), FileDescriptor.Open($"{place}/{name}", Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY));
            ChangedPaths.Write(union, changes.Directory, cancellationToken);
            return changes;
        }
        catch
        {
            changes?.Dispose();
            parent.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Directory.Dispose();
        TreeRemoval.TryRemove(_parent, _name); // what stays goes with the container's own directory, or lies in the caller's
        _parent.Dispose();
    }
}
