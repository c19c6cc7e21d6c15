using System.Runtime.InteropServices;
using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>
/// Reads the figures of one control group, again and again: its files are opened once, and each reading is one
/// <c>pread64</c> a file into one buffer. A reading takes some tens of microseconds, which are the kernel's, and makes
/// some hundreds of bytes of garbage.
/// </summary>
/// <remarks>
/// The directories stay the caller's, and must be open for as long as the reader is used; the files are the reader's. A file
/// that is not there when the reader is made is missing for good, and one that goes away while the group stays (its
/// controller was disabled, or its pressure accounting turned off) from then on. Safe from any thread: one reading at a
/// time, others wait for it.
/// </remarks>
internal sealed class StatsReader : IDisposable
{
    private const int FirstBuffer = 8 << 10, LastBuffer = 16 << 20;
    private const string Members = "cgroup.procs"; // every group of either version has it

    private readonly Lock _lock = new();
    private readonly StatsDraft _draft = new();
    private readonly List<OpenFile> _files = [];
    private byte[] _buffer = new byte[FirstBuffer];
    private bool _disposed;

    /// <param name="groups">
    /// Where the group is, for each controller that is to be read. On v2 the directory is the same for all, and those that
    /// are not enabled there may be named too. A controller that has no figures is nothing to read.
    /// </param>
    /// <exception cref="CgroupException">Gone: a directory is none of a control group any more. NotPermitted, Failed: a file cannot be opened.</exception>
    internal StatsReader(IReadOnlyList<(CgroupController Controller, CgroupVersion Version, SafeHandle Directory)> groups)
    {
        try
        {
            foreach ((CgroupController controller, CgroupVersion version, SafeHandle directory) in groups) Open(controller, version, directory);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What the kernel tells now.</summary>
    /// <param name="details">What to bring along beside the figures that every reading has.</param>
    /// <exception cref="CgroupException">Gone: the group was removed. Malformed: a file does not read as documented. Failed: it cannot be read.</exception>
    /// <exception cref="ObjectDisposedException">The reader is disposed.</exception>
    internal CgroupStats Read(CgroupStatsDetails details = CgroupStatsDetails.None)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _draft.Begin(details);
            for (int i = 0; i < _files.Count; i++)
            {
                OpenFile file = _files[i];
                if (file.Kind.Detail != CgroupStatsDetails.None && (file.Kind.Detail & details) == 0) continue;
                int count = Fill(file);
                if (count >= 0) file.Kind.Parse(file.Kind.Name, _buffer.AsSpan(0, count), _draft);
                else Drop(i--);
            }

            return _draft.Finish();
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (OpenFile file in _files) file.Descriptor.Dispose();
            _files.Clear();
        }
    }

    private void Open(CgroupController controller, CgroupVersion version, SafeHandle directory)
    {
        if (!Lives(directory)) throw new CgroupException(CgroupErrorReason.Gone, $"The {controller} group is not there: its directory has no {Members}");
        StatsFile[] kinds = version == CgroupVersion.V1
            ? V1StatsFiles.Of(controller, () => DirectoryFiles.Names(directory))
            : V2StatsFiles.Of(controller, () => DirectoryFiles.Names(directory));
        foreach (StatsFile kind in kinds)
        {
            // Two controllers of v2 may have a file in common.
            if (!_files.Exists(file => ReferenceEquals(file.Kind, kind)) && TryOpen(kind, directory) is { } opened) _files.Add(opened);
        }
    }

    private static OpenFile? TryOpen(StatsFile kind, SafeHandle directory)
    {
        for (StatsFile? candidate = kind; candidate is not null; candidate = candidate.Otherwise)
        {
            nint result = DirectoryFiles.TryOpen(directory, candidate.Name, Abi.O_RDONLY);
            if (!Syscall.IsError(result)) return new OpenFile(candidate, new FileDescriptor((int)result), directory);
            if (!IsMissing(result)) throw Refused(result, "openat", candidate.Name);
        }

        return null;
    }

    /// <returns>The length of the file's text, which is in the buffer then; -1 where the file is missing from now on.</returns>
    private int Fill(in OpenFile file)
    {
        while (true)
        {
            // One call: these files are one record of the kernel's, which comes whole if there is room for it. What a second
            // call added at an offset would be of a later time, and might begin within a line.
            nint result = Descriptors.TryReadAt(file.Descriptor, _buffer, 0);
            if (Syscall.IsError(result))
            {
                if (!IsMissing(result)) throw Refused(result, "pread64", file.Kind.Name);
                return Lives(file.Directory) ? -1 : throw new CgroupException(CgroupErrorReason.Gone, $"The group was removed: {file.Kind.Name} cannot be read", Syscall.Failure(result, "pread64", file.Kind.Name));
            }

            if (result < _buffer.Length) return (int)result;
            if (_buffer.Length >= LastBuffer) throw new CgroupException(CgroupErrorReason.Malformed, $"{file.Kind.Name} has more than {LastBuffer} bytes");
            _buffer = new byte[_buffer.Length * 2];
        }
    }

    private void Drop(int index)
    {
        _files[index].Descriptor.Dispose();
        _files.RemoveAt(index);
    }

    /// <summary>
    /// ENODEV is the answer of a file whose group, or whose controller in this group, is gone, and of the pressure files where
    /// the accounting is turned off for the group; EOPNOTSUPP theirs where the kernel was started without it.
    /// </summary>
    private static bool IsMissing(nint result) => Syscall.ErrnoOf(result) is Errno.ENOENT or Errno.ENODEV or Errno.EOPNOTSUPP;

    private static bool Lives(SafeHandle directory)
    {
        nint result = DirectoryFiles.TryOpen(directory, Members, Abi.O_PATH);
        if (!Syscall.IsError(result)) new FileDescriptor((int)result).Dispose();
        return !IsMissing(result);
    }

    private static CgroupException Refused(nint result, string operation, string name)
    {
        bool permission = Syscall.ErrnoOf(result) is Errno.EACCES or Errno.EPERM;
        return new CgroupException(permission ? CgroupErrorReason.NotPermitted : CgroupErrorReason.Failed, $"{name} cannot be read", Syscall.Failure(result, operation, name));
    }

    private readonly record struct OpenFile(StatsFile Kind, FileDescriptor Descriptor, SafeHandle Directory);
}
