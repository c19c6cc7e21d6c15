using Isolation.Linux;

namespace Isolation.Images;

/// <summary>
/// The way to a directory of a tree, kept open from one entry to the next: archives go from directory to directory. Each step
/// is a directory and no link at the time it is opened, and stays that very one. For one thread.
/// </summary>
internal sealed class OpenDirectories(FileDescriptor top) : IDisposable
{
    private readonly List<(byte[] Name, FileDescriptor Directory)> _way = [];

    /// <summary>The directory that the steps lead to; not to be disposed, and good until the next call.</summary>
    /// <param name="steps">From the top.</param>
    /// <param name="count">How many of them.</param>
    /// <param name="make">Makes a directory that is missing, or what is no directory one; fails as opening it did where it is to stay.</param>
    /// <param name="directory">Set on success.</param>
    /// <returns>0, or -errno; ELOOP or ENOTDIR where a step is no directory.</returns>
    internal nint Find(List<byte[]> steps, int count, Func<FileDescriptor, byte[], int, nint>? make, out FileDescriptor directory)
    {
        int same = 0;
        while (same < count && same < _way.Count && _way[same].Name.AsSpan().SequenceEqual(steps[same])) same++;
        Cut(same);
        directory = same == 0 ? top : _way[same - 1].Directory;
        for (int i = same; i < count; i++)
        {
            nint result = Open(directory, steps[i]);
            if (make is not null && (Syscall.Is(result, Errno.ENOENT) || Syscall.Is(result, Errno.ENOTDIR)))
            {
                result = make(directory, steps[i], i);
                if (!Syscall.IsError(result)) result = Open(directory, steps[i]);
            }

            if (Syscall.IsError(result)) return result;
            directory = new((int)result);
            _way.Add((steps[i], directory));
        }

        return 0;
    }

    /// <summary>What has this name is about to be replaced: the way through it is no more.</summary>
    internal void Forget(List<byte[]> steps)
    {
        int same = 0;
        while (same < steps.Count && same < _way.Count && _way[same].Name.AsSpan().SequenceEqual(steps[same])) same++;
        if (same == steps.Count && same > 0) Cut(same - 1);
    }

    public void Dispose() => Cut(0);

    private static nint Open(FileDescriptor directory, byte[] name) => FileEntries.Open(directory, name, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);

    private void Cut(int count)
    {
        for (int i = _way.Count - 1; i >= count; i--) _way[i].Directory.Dispose();
        _way.RemoveRange(count, _way.Count - count);
    }
}
