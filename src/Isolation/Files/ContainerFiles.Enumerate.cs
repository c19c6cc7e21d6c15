using Isolation.Linux;

namespace Isolation;

public sealed partial class ContainerFiles
{
    /// <summary>What is in a directory, in no order. Links in it are not followed. Each directory is read when its turn comes.</summary>
    /// <param name="path">Absolute, in the container; links are followed.</param>
    /// <param name="recursive">Whether what is in the directories below follows, each after its directory.</param>
    /// <exception cref="ArgumentException">The path is empty, relative, or contains a NUL.</exception>
    /// <exception cref="ContainerStateException">The container has ended, and its files with it.</exception>
    /// <exception cref="ContainerException">While it is enumerated: a directory cannot be read.</exception>
    public IEnumerable<ContainerFileEntry> Enumerate(string path = "/", bool recursive = false)
    {
        ContainerPath parsed = ContainerPath.Parse(path, nameof(path));
        return Entries(parsed, recursive);
    }

    private IEnumerable<ContainerFileEntry> Entries(ContainerPath path, bool recursive)
    {
        using ContainerFileCalls calls = new(_container, default);
        using FileDescriptor root = Answered(path, () => ContainerRoot.Open(_container, calls));
        ContainerIds ids = ContainerIds.Of(_container);
        using FileDescriptor directory = Answered(path, () => Opened(calls.Open(root, FileName.Of(path.Text), Abi.O_PATH | TargetAbi.Current.O_DIRECTORY, 0, InRoot), path.Text));
        using DirectoryWalk walk = Answered(path, () => new DirectoryWalk(calls, directory));
        string start = "/" + path.Text.Trim('/');
        while (Answered(path, () => walk.Next(recursive)))
        {
            string name = walk.Path;
            yield return Entry(walk, start == "/" ? "/" + name : $"{start}/{name}", ids);
        }
    }

    private static ContainerFileEntry Entry(DirectoryWalk walk, string path, ContainerIds ids)
    {
        FileStatus status = walk.Status;
        return new ContainerFileEntry
        {
            Path = path,
            Type = Type(status.Type),
            Size = status.Size,
            Mode = (UnixFileMode)status.Mode,
            UserId = ids.UserInside(status.Uid),
            GroupId = ids.GroupInside(status.Gid),
            ModifiedAt = Time(status.Modified),
            LinkTarget = walk.LinkTarget,
        };
    }

    private static T Answered<T>(ContainerPath path, Func<T> step)
    {
        try
        {
            return step();
        }
        catch (LinuxException exception)
        {
            throw Failed($"Cannot list '{path.Text}' in the container", exception);
        }
    }

    // A file's time is any 64-bit number; what is beyond .NET's is its limit.
    private static DateTimeOffset Time((long Seconds, uint Nanoseconds) time) =>
        time.Seconds < DateTimeOffset.MinValue.ToUnixTimeSeconds() ? DateTimeOffset.MinValue
        : time.Seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.MaxValue
        : DateTimeOffset.FromUnixTimeSeconds(time.Seconds).AddTicks(time.Nanoseconds / 100);

    private static ContainerFileType Type(FileType type) => type switch
    {
        FileType.Regular => ContainerFileType.Regular,
        FileType.Directory => ContainerFileType.Directory,
        FileType.SymbolicLink => ContainerFileType.SymbolicLink,
        FileType.Fifo => ContainerFileType.Fifo,
        FileType.Socket => ContainerFileType.Socket,
        FileType.CharacterDevice => ContainerFileType.CharacterDevice,
        FileType.BlockDevice => ContainerFileType.BlockDevice,
        _ => ContainerFileType.Unknown,
    };
}
