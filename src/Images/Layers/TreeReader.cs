using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation.Images;

/// <summary>
/// Reads a tree as the entries of an archive: names in the order of their bytes, a directory before what is in it. No link is
/// followed; what was looked at is what is read. For one thread.
/// </summary>
internal sealed partial class TreeReader(PackOptions options, TarWriter archive, CancellationToken cancellationToken)
{
    private const int MostNames = 4_000_000;
    private readonly Dictionary<(ulong, (uint, uint)), byte[]> _named = [];
    private readonly byte[] _buffer = new byte[128 << 10];
    private readonly byte[] _attributes = new byte[Abi.XATTR_LIST_MAX];
    private readonly byte[] _value = new byte[Abi.XATTR_SIZE_MAX];

    internal long Entries { get; private set; }

    internal long Sockets { get; private set; }

    /// <exception cref="ImageException">A file cannot be read, or cannot be in an image.</exception>
    internal void Run(FileDescriptor directory)
    {
        using FileDescriptor top = new((int)Check(FileEntries.Open(directory, ".\0"u8, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY), "open", "."u8));
        if (options.IncludeTop) Add(Described(top, FileStatus.Of(top), "./"u8.ToArray(), TarType.Directory));
        Stack<Level> levels = new([new(top, [], Sorted(top, "."u8))]);
        try
        {
            while (levels.TryPeek(out Level? level))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (level.Names.Count == 0)
                {
                    levels.Pop();
                    if (levels.Count > 0) level.Directory.Dispose();
                    continue;
                }

                byte[] name = level.Names.Dequeue();
                if (IsLeft(level.Path, name)) continue;
                if (Read(level, name) is { } below) levels.Push(below);
            }
        }
        finally
        {
            while (levels.TryPop(out Level? level))
                if (levels.Count > 0) level.Directory.Dispose();
        }

        archive.Finish();
    }

    /// <returns>A directory, whose contents come next.</returns>
    private Level? Read(Level level, byte[] name)
    {
        nint result = FileEntries.Status(level.Directory, name, out FileStatus status);
        if (Syscall.Is(result, Errno.ENOENT)) return null; // gone since it was listed
        byte[] path = [.. level.Path, .. name.AsSpan(0, name.Length - 1)];
        Check(result, "statx", path);
        if (name.AsSpan().StartsWith(".wh."u8)) throw new ImageException(ImageErrorReason.UnsafeEntry, $"'{TarPath.Shown(path)}' cannot be in an image: names that begin with .wh. say what is removed (image-spec, layer.md)", remedy: "give it another name");
        if (OverlayForm.IsWhiteout(status))
        {
            Add(new TarEntry { Name = [.. level.Path, .. ".wh."u8, .. name.AsSpan(0, name.Length - 1)], Type = TarType.Regular });
            return null;
        }

        switch (status.Type)
        {
            case FileType.Directory: return ReadDirectory(level, name, path);
            case FileType.Regular:
                ReadFile(level, name, path);
                return null;
            case FileType.SymbolicLink:
                byte[] target = new byte[Abi.PATH_MAX];
                nint length = Check(FileEntries.LinkTarget(level.Directory, name, target), "readlink", path);
                TarEntry link = Described(level.Directory, name, status, path, TarType.SymbolicLink);
                link.LinkTarget = target[..(int)length];
                link.Mode = 0x1FF;
                Add(link);
                return null;
            case FileType.Fifo or FileType.CharacterDevice or FileType.BlockDevice:
                TarEntry node = Described(level.Directory, name, status, path, status.Type switch { FileType.Fifo => TarType.Fifo, FileType.CharacterDevice => TarType.CharacterDevice, _ => TarType.BlockDevice });
                if (status.Type != FileType.Fifo) node.Device = status.RawDevice;
                Add(node);
                return null;
            default:
                Sockets++; // a program's, and gone with it
                return null;
        }
    }

    private Level? ReadDirectory(Level level, byte[] name, byte[] path)
    {
        nint result = FileEntries.Open(level.Directory, name, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
        if (Syscall.Is(result, Errno.ENOENT) || Syscall.Is(result, Errno.ENOTDIR)) return null; // another one by now
        FileDescriptor directory = new((int)Check(result, "open", path));
        try
        {
            byte[] inside = [.. path, (byte)'/'];
            Add(Described(directory, FileStatus.Of(directory), inside, TarType.Directory));
            if (OverlayForm.IsOpaque(directory)) Add(new TarEntry { Name = [.. inside, .. ".wh..wh..opq"u8], Type = TarType.Regular });
            return new(directory, inside, Sorted(directory, path));
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    private bool IsLeft(byte[] path, byte[] name) => options.Left.Count > 0 && options.Left.Contains(System.Text.Encoding.UTF8.GetString([.. path, .. name.AsSpan(0, name.Length - 1)]));

    private void Add(TarEntry entry)
    {
        Entries++;
        archive.Begin(entry);
    }

    private static Queue<byte[]> Sorted(FileDescriptor directory, ReadOnlySpan<byte> path)
    {
        Check(DirectoryListing.TryRead(directory, MostNames, out List<byte[]> names), "getdents64", path);
        names.Sort(static (one, other) => one.AsSpan().SequenceCompareTo(other));
        return new(names);
    }

    private static nint Check(nint result, string call, ReadOnlySpan<byte> path) =>
        Syscall.IsError(result) ? throw ImageException.Of(Syscall.Failure(result, call, $"\"{TarPath.Shown(path)}\""), $"Cannot read '{TarPath.Shown(path)}'") : result;

    private sealed record Level(FileDescriptor Directory, byte[] Path, Queue<byte[]> Names);
}
