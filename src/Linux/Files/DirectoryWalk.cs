namespace Isolation.Linux;

/// <summary>
/// Goes through a directory, and if wanted through those below, without ever following a link. It holds the descriptor of
/// one directory, however deep it is, and finds back by <c>..</c>, where it must find the directory that it came from. For
/// one thread.
/// </summary>
internal sealed unsafe class DirectoryWalk : IDisposable
{
    private const long MostNames = 1_000_000;
    private readonly FileCalls _calls;
    private readonly Stack<(List<byte[]> Names, int Next, FileStatus Status, int PathLength)> _above = [];
    private readonly System.Text.StringBuilder _path = new();
    private FileDescriptor _directory;
    private FileStatus _directoryStatus;
    private List<byte[]> _names;
    private int _next;
    private int _pathLength;
    private byte[]? _enter;

    /// <exception cref="LinuxException">The directory cannot be read.</exception>
    internal DirectoryWalk(FileCalls calls, FileDescriptor directory)
    {
        _calls = calls;
        _directory = Open(directory, ".\0"u8);
        _names = List();
        _directoryStatus = FileStatus.Of(_directory);
    }

    /// <summary>From the directory in which it began.</summary>
    internal string Path => _path.ToString();

    internal FileStatus Status { get; private set; }

    /// <summary>The directory that it is in, until the next.</summary>
    internal FileDescriptor Directory => _directory;

    /// <summary>Its name there, ended by a NUL.</summary>
    internal byte[] Name { get; private set; } = [];

    internal string? LinkTarget { get; private set; }

    /// <summary>Goes on to the next file; false where there is none.</summary>
    /// <param name="enter">Whether to go into the directory that was just met, if it was one.</param>
    /// <exception cref="LinuxException">A directory cannot be read, holds more than a million names, or was moved meanwhile.</exception>
    internal bool Next(bool enter)
    {
        if (enter && _enter is { } name) Enter(name);
        _enter = null;
        while (true)
        {
            while (_next < _names.Count)
                if (Look(_names[_next++])) return true;
            if (_above.Count == 0) return false;
            Leave();
        }
    }

    public void Dispose() => _directory.Dispose();

    private bool Look(byte[] name)
    {
        nint result = _calls.Open(_directory, name, Abi.O_PATH | TargetAbi.Current.O_NOFOLLOW);
        if (Syscall.Is(result, Errno.ENOENT)) return false; // gone since it was listed
        _path.Length = _pathLength;
        if (_pathLength > 0) _path.Append('/');
        _path.Append(FileName.Text(name));
        Name = name;
        using FileDescriptor found = new((int)Syscall.Check(result, "open", $"\"{_path}\""));
        Status = FileStatus.Of(found);
        LinkTarget = Status.Type == FileType.SymbolicLink ? TargetOf(found) : null;
        _enter = Status.Type == FileType.Directory ? name : null;
        return true;
    }

    private void Enter(byte[] name)
    {
        nint result = _calls.Open(_directory, name, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY | TargetAbi.Current.O_NOFOLLOW);
        if (Syscall.Is(result, Errno.ENOENT) || Syscall.Is(result, Errno.ENOTDIR) || Syscall.Is(result, Errno.ELOOP)) return; // no directory any more
        FileDescriptor below = new((int)Syscall.Check(result, "open", $"\"{_path}\""));
        _directory.Dispose();
        _directory = below;
        _above.Push((_names, _next, _directoryStatus, _pathLength));
        _directoryStatus = FileStatus.Of(below);
        (_names, _next, _pathLength) = (List(), 0, _path.Length);
    }

    private void Leave()
    {
        FileDescriptor above = Open(_directory, "..\0"u8);
        _directory.Dispose();
        _directory = above;
        (_names, _next, _directoryStatus, _pathLength) = _above.Pop();
        if (!FileStatus.Of(above).IsSameFile(_directoryStatus)) throw new LinuxException("open", $"\"{_path}/..\"", Errno.ESTALE, "The directory was moved while it was read.");
    }

    private FileDescriptor Open(FileDescriptor directory, ReadOnlySpan<byte> name) =>
        new((int)Syscall.Check(_calls.Open(directory, name, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY | TargetAbi.Current.O_NOFOLLOW), "open", $"\"{_path}\""));

    private List<byte[]> List()
    {
        Syscall.Check(DirectoryListing.TryRead(_directory, MostNames, out List<byte[]> names), "getdents64", $"\"{_path}\"");
        return names;
    }

    private static string? TargetOf(FileDescriptor link)
    {
        byte[] text = new byte[Abi.PATH_MAX];
        using var held = link.Hold();
        fixed (byte* bytes = text, empty = "\0"u8)
        {
            nint length = Syscall.readlinkat(held.Number, empty, bytes, (nuint)text.Length);
            return Syscall.IsError(length) ? null : System.Text.Encoding.UTF8.GetString(text.AsSpan(0, (int)length));
        }
    }
}
