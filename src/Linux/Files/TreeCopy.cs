
namespace Isolation.Linux;

/// <summary>
/// Copies a file, or a directory with all that is in it, from one place to another, of which either may be changed by a
/// hostile program meanwhile. Each step starts from a directory that is a descriptor and takes one name from there; no link is
/// ever followed, on either side, and what was looked at is what is opened. So whatever is renamed, nothing is read
/// outside the directory it starts in, and nothing written outside the one it ends in.
/// </summary>
/// <remarks>
/// Kept: permission bits, times of modification, symbolic links as they stand, further names of one file (hard links),
/// holes, <c>user.*</c> attributes, FIFOs. Files belong to who makes them. Any depth takes the same number of descriptors.
/// What is listed and gone before its turn is left out. For one thread, and one copy.
/// </remarks>
internal sealed partial class TreeCopy(FileCalls source, FileCalls target, TreeCopyOptions options, CancellationToken cancellationToken) : IDisposable
{
    private const int HeldLevels = 32; // the descriptors of deeper ones are let go of while what is below them is copied
    private static readonly int NoFollow = TargetAbi.Current.O_NOFOLLOW;

    private readonly FileCalls _source = source;
    private readonly FileCalls _target = target;
    private readonly TreeCopyOptions _options = options;
    private readonly Dictionary<(ulong, (uint, uint)), (Level? Level, byte[] Name, FileStatus Status)> _named = [];
    private Level? _current;
    private FileStatus? _top;
    private long _entries;
    private long _sizes;

    internal TreeCopyCounts Counts { get; } = new();

    /// <summary>Copies what has a name in a directory to a name in another. A directory that is there already is filled, any other file is replaced.</summary>
    /// <param name="fromDirectory">Where it is.</param>
    /// <param name="name">Ended by a NUL.</param>
    /// <param name="toDirectory">Where it is to be.</param>
    /// <param name="newName">Ended by a NUL.</param>
    /// <exception cref="LinuxException">A file could not be copied; <see cref="Counts"/> says what was.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    internal void Run(FileDescriptor fromDirectory, byte[] name, FileDescriptor toDirectory, byte[] newName)
    {
        _current = Copy(null, fromDirectory, name, toDirectory, newName);
        Walk();
    }

    /// <summary>Copies what is in a directory into another, which is there.</summary>
    /// <inheritdoc cref="Run"/>
    internal void RunContents(FileDescriptor from, FileDescriptor to)
    {
        FileStatus status = FileStatus.Of(to);
        _top = status;
        if (Check(KernelFileSystem.Holds(from), "statfs", null, ".\0"u8) != 0 || Check(KernelFileSystem.Holds(to), "statfs", null, ".\0"u8) != 0) throw Refused(".\0"u8);
        _current = new Level(null, ".\0"u8.ToArray())
        {
            Source = Descriptors.Duplicate(from), Target = Descriptors.Duplicate(to), SourceStatus = FileStatus.Of(from), TargetStatus = status,
        };
        using FileDescriptor listed = new((int)Check(_source.Open(from, ".\0"u8, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY), "open", null, ".\0"u8));
        _current.Names = List(listed, null, ".\0"u8);
        Walk();
    }

    public void Dispose()
    {
        for (; _current is not null; _current = _current.Parent) _current.LetGo();
    }

    private void Walk()
    {
        while (_current is { } level)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (level.Next == level.Names.Count)
            {
                _current = Leave(level);
                continue;
            }

            byte[] name = level.Names[level.Next++];
            if (Copy(level, level.Source!, name, level.Target!, name) is not { } child) continue;
            if (level.Depth >= HeldLevels) level.LetGo();
            _current = child;
        }
    }

    private Level? Copy(Level? level, FileDescriptor from, byte[] name, FileDescriptor to, byte[] newName)
    {
        nint result = _source.Open(from, name, Abi.O_PATH | NoFollow);
        if (level is not null && Syscall.Is(result, Errno.ENOENT)) return null;
        using FileDescriptor found = new((int)Check(result, "open", level, name));
        FileStatus status = FileStatus.Of(found);
        if (++_entries > _options.MostEntries) throw new LinuxException("copy", Quoted(level, name), Errno.EOVERFLOW, $"There are more than {_options.MostEntries} files.");
        // The type of the file system can differ only where the device does.
        bool mayBeKernels = level is null || status.Device != level.SourceStatus.Device;
        if (mayBeKernels && status.Type != FileType.SymbolicLink && Check(KernelFileSystem.Holds(found), "statfs", level, name) != 0)
        {
            if (level is null) throw Refused(name);
            Counts.Skipped++;
            return null;
        }

        Place place = new(level, to, newName);
        switch (status.Type)
        {
            case FileType.Directory: return Enter(place, found, status, name);
            case FileType.Regular: CopyFile(place, found, from, name, status); break;
            case FileType.SymbolicLink: CopyLink(place, found, status); break;
            case FileType.Fifo: CopyFifo(place, status); break;
            case FileType.Socket: Counts.Skipped++; break; // a name without the program that answers there is of no use
            default: RefuseOrSkip(level, name, status); break;
        }

        return null;
    }

    private void RefuseOrSkip(Level? level, byte[] name, in FileStatus status)
    {
        if (!_options.SkipDevices)
        {
            throw new LinuxException("copy", $"{Quoted(level, name)}, of type {status.Type} ({status.RawDevice.Major}:{status.RawDevice.Minor})", Errno.EPERM,
                "Device files are not copied; SkipDevices leaves them out.");
        }

        Counts.Skipped++;
    }

    private Level Enter(in Place place, FileDescriptor found, in FileStatus status, byte[] name)
    {
        if (_top is { } top && status.IsSameFile(top)) throw new LinuxException("copy", Quoted(place.Level, name), Errno.EINVAL, "The destination lies inside the source.");
        nint made = _target.MakeDirectory(place.Directory, place.Name, 0x1c0 /* 0700 until it is filled */);
        if (!Syscall.Is(made, Errno.EEXIST)) Check(made, "mkdir", place.Level, place.Name);
        bool isNew = !Syscall.IsError(made);
        int flags = TargetAbi.Current.O_DIRECTORY | NoFollow;
        nint result = _target.Open(place.Directory, place.Name, Abi.O_RDONLY | flags);
        if (!isNew && Syscall.Is(result, Errno.EACCES)) result = _target.Open(place.Directory, place.Name, Abi.O_PATH | flags);
        if (Syscall.Is(result, Errno.ENOTDIR) || Syscall.Is(result, Errno.ELOOP))
            throw Syscall.Failure(-(int)Errno.ENOTDIR, "mkdir", $"{Quoted(place.Level, place.Name)}, which is there and is no directory");
        FileDescriptor target = new((int)Check(result, "open", place.Level, place.Name));
        FileDescriptor? listed = null;
        try
        {
            FileStatus targetStatus = FileStatus.Of(target);
            _top ??= targetStatus;
            if (!isNew && (place.Level is null || place.Level.TargetStatus.Device != targetStatus.Device) && Check(KernelFileSystem.Holds(target), "statfs", place.Level, place.Name) != 0)
                throw Refused(place.Name);
            listed = new((int)Check(_source.Open(found, ".\0"u8, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY), "open", place.Level, name));
            Level child = new(place.Level, place.Name) { SourceStatus = status, TargetStatus = targetStatus, Made = isNew, Names = List(listed, place.Level, name) };
            if (isNew) Check(ExtendedAttributes.Copy(listed, _target, target), "setxattr", place.Level, name);
            (child.Source, child.Target) = (listed, target);
            Counts.Directories++;
            return child;
        }
        catch
        {
            target.Dispose();
            listed?.Dispose();
            throw;
        }
    }

    private List<byte[]> List(FileDescriptor directory, Level? level, ReadOnlySpan<byte> name)
    {
        nint result = DirectoryListing.TryRead(directory, _options.MostEntries, out List<byte[]> names);
        if (Syscall.Is(result, Errno.EOVERFLOW)) throw new LinuxException("getdents64", Quoted(level, name), Errno.EOVERFLOW, $"There are more than {_options.MostEntries} files.");
        Check(result, "getdents64", level, name);
        return names;
    }

    private static LinuxException Refused(ReadOnlySpan<byte> name) =>
        new("copy", $"\"{FileName.Text(name)}\"", Errno.EPERM, "It is on a file system of the kernel's (proc, sysfs, cgroup): read it with a program in the container.");

    private static byte[] TemporaryName() => FileName.Of(".isolation-" + RandomName.Hex(12));

    /// <summary>Where a file is to be.</summary>
    private readonly record struct Place(Level? Level, FileDescriptor Directory, byte[] Name)
    {
        /// <summary>Nobody else has put anything into a directory that the copy has just made and not yet opened up.</summary>
        internal bool IsOurs => Level is { Made: true };
    }
}
