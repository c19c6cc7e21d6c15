namespace Isolation.Linux;

/// <summary>
/// Resolution by hand, for kernels and filters without <c>openat2</c>: one component at a time, each opened with
/// O_PATH|O_NOFOLLOW below the directory before it, so that the kernel never follows a link for us. Links are read and
/// spliced into what remains of the path; <c>..</c> goes back to the descriptor we came from, and at the root stays there.
/// </summary>
/// <remarks>
/// Whatever is renamed meanwhile, each step starts from a directory that was reached inside the root. A step back checks
/// that the directory still lies where it was found; if not, the answer is EAGAIN and the walk begins anew, as the kernel
/// does it. One walk holds one descriptor for each level of depth.
/// </remarks>
internal sealed partial class PathWalk : IDisposable
{
    private const int MaxAttempts = 128;

    // What a step answers while there is no descriptor yet: neither a descriptor (0 may be one) nor an errno.
    private const nint GoOn = int.MinValue;

    private readonly int _root;
    private readonly List<FileDescriptor> _parents = [];
    private readonly byte[] _name = new byte[Abi.NAME_MAX + 1];
    private byte[] _path;
    private int _position;
    private int _links;

    private PathWalk(int root, ReadOnlySpan<byte> path)
    {
        _root = root;
        _path = path.ToArray();
    }

    private int Current => _parents.Count == 0 ? _root : _parents[^1].Number;

    /// <summary>As <c>openat2</c> with RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS.</summary>
    /// <returns>A descriptor or -errno; EAGAIN where directories on the way were being moved all the time.</returns>
    internal static nint TryOpen(int root, ReadOnlySpan<byte> path, int flags, uint mode) =>
        Refused(path, flags, mode) is var refused && refused != Errno.None
            ? -(int)refused
            : Repeated(root, path, walk => walk.Open(flags | Abi.O_CLOEXEC, mode));

    /// <summary>Creates each directory that is missing, those that links on the way point to included.</summary>
    /// <returns>An O_PATH descriptor of the last one, or -errno.</returns>
    internal static nint TryCreateDirectories(int root, ReadOnlySpan<byte> path, uint mode) =>
        Refused(path, Abi.O_PATH, 0) is var refused && refused != Errno.None
            ? -(int)refused
            : Repeated(root, path, walk => walk.CreateDirectories(mode));

    public void Dispose() => LeaveTo(0);

    private static nint Repeated(int root, ReadOnlySpan<byte> path, Func<PathWalk, nint> go)
    {
        nint result = 0;
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            using var walk = new PathWalk(root, path);
            result = go(walk);
            if (!Syscall.Is(result, Errno.EAGAIN)) break;
        }
        return result;
    }

    /// <summary>What openat2 refuses and openat does not.</summary>
    private static Errno Refused(ReadOnlySpan<byte> path, int flags, uint mode)
    {
        const int Creating = Abi.O_CREAT | 0x400000; // __O_TMPFILE
        int besidePath = Abi.O_PATH | Abi.O_CLOEXEC | TargetAbi.Current.O_DIRECTORY | TargetAbi.Current.O_NOFOLLOW;
        if ((flags & Abi.O_PATH) != 0 && (flags & ~besidePath) != 0) return Errno.EINVAL;
        if (mode != 0 && ((flags & Creating) == 0 || mode > 0xfff)) return Errno.EINVAL;
        if (path.Length == 0) return Errno.ENOENT;
        return path.Length >= Abi.PATH_MAX ? Errno.ENAMETOOLONG : Errno.None;
    }

    private nint Open(int flags, uint mode)
    {
        while (Next(out var name))
        {
            nint result =
                name.SequenceEqual("."u8) ? GoOn :
                name.SequenceEqual(".."u8) ? Up() :
                IsLast(out bool slash) ? Last(name, flags, mode, slash) :
                Down(name, createMode: null);
            if (result != GoOn) return result;
        }
        // The path was "/", or ended in "." or "..": the file is the directory we are in.
        if ((flags & Abi.O_CREAT) == 0) return OpenAt("."u8, flags, mode);
        return -(int)((flags & Abi.O_EXCL) != 0 ? Errno.EEXIST : Errno.EISDIR);
    }

    private nint CreateDirectories(uint mode)
    {
        while (Next(out var name))
        {
            nint result =
                name.SequenceEqual("."u8) ? GoOn :
                name.SequenceEqual(".."u8) ? Up() :
                Down(name, mode);
            if (result != GoOn) return result;
        }
        return OpenAt("."u8, Abi.O_PATH | Abi.O_CLOEXEC | TargetAbi.Current.O_DIRECTORY, 0);
    }

    /// <summary>Takes the next component off the path.</summary>
    private bool Next(out ReadOnlySpan<byte> name)
    {
        while (_position < _path.Length && _path[_position] == '/') _position++;
        int start = _position;
        while (_position < _path.Length && _path[_position] != '/') _position++;
        name = _path.AsSpan(start, _position - start);
        return name.Length > 0;
    }

    /// <summary>Whether nothing but slashes follows; one of them asks for a directory.</summary>
    private bool IsLast(out bool slash)
    {
        var rest = _path.AsSpan(_position);
        slash = rest.Length > 0;
        return !rest.ContainsAnyExcept((byte)'/');
    }

    private void LeaveTo(int depth)
    {
        for (int i = _parents.Count - 1; i >= depth; i--) _parents[i].Dispose();
        _parents.RemoveRange(depth, _parents.Count - depth);
    }
}
