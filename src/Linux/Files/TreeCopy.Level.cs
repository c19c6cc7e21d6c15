namespace Isolation.Linux;

internal sealed partial class TreeCopy
{
    /// <summary>A directory that is being copied, on both sides. The names of its chain of parents are its path.</summary>
    private sealed class Level(Level? parent, byte[] name)
    {
        internal Level? Parent { get; } = parent;

        internal byte[] Name { get; } = name;

        internal int Depth { get; } = parent is null ? 0 : parent.Depth + 1;

        /// <summary>Null while it is deep in the tree and a directory below it is copied, and when it is done.</summary>
        internal FileDescriptor? Source { get; set; }

        internal FileDescriptor? Target { get; set; }

        internal FileStatus SourceStatus { get; init; }

        internal FileStatus TargetStatus { get; init; }

        /// <summary>Whether the copy made the target, which gets its mode and time at the end.</summary>
        internal bool Made { get; init; }

        internal List<byte[]> Names { get; set; } = [];

        internal int Next { get; set; }

        internal void LetGo()
        {
            Source?.Dispose();
            Target?.Dispose();
            (Source, Target) = (null, null);
        }
    }

    /// <summary>
    /// Back to the directory above. Where its descriptors were let go of, it is found by <c>..</c>, and must be the one
    /// that it was: a directory that was moved meanwhile would lead anywhere.
    /// </summary>
    private Level? Leave(Level level)
    {
        Level? parent = level.Parent;
        if (parent is { Source: null })
        {
            parent.Source = Above(_source, level.Source!, parent.SourceStatus, Abi.O_PATH, parent, "read");
            parent.Target = Above(_target, level.Target!, parent.TargetStatus, parent.Made ? Abi.O_RDONLY : Abi.O_PATH, parent, "write");
        }

        // Last: with its final mode it may not let us back out of it.
        Finish(level);
        level.LetGo();
        level.Names = [];
        return parent;
    }

    private static FileDescriptor Above(FileCalls calls, FileDescriptor below, FileStatus expected, int access, Level level, string operation)
    {
        nint result = calls.Open(below, "..\0"u8, access | TargetAbi.Current.O_DIRECTORY | TargetAbi.Current.O_NOFOLLOW);
        FileDescriptor above = new((int)Check(result, operation, level, ".\0"u8));
        if (FileStatus.Of(above).IsSameFile(expected)) return above;
        above.Dispose();
        throw new LinuxException(operation, Quoted(level, ".\0"u8), Errno.ESTALE, "The directory was moved while it was copied.");
    }

    private void Finish(Level level)
    {
        if (!level.Made) return;
        Check(_target.ChangeModified(level.Target!, ".\0"u8, level.SourceStatus.Modified), "utimensat", level, ".\0"u8);
        Check(_target.ChangeMode(level.Target!, Kept(level.SourceStatus.Mode)), "chmod", level, ".\0"u8);
    }

    private uint Kept(uint mode) => _options.KeepSetId ? mode : mode & 0x3ff; // 01777

    private static nint Check(nint result, string operation, Level? level, ReadOnlySpan<byte> name)
    {
        if (Syscall.IsError(result)) throw Syscall.Failure(result, operation, Quoted(level, name));
        return result;
    }

    /// <summary>The path from the top of the copy, its end where it is long.</summary>
    private static string Quoted(Level? level, ReadOnlySpan<byte> name)
    {
        const int Longest = 512;
        string path = name.SequenceEqual(".\0"u8) && level is not null ? "" : "/" + FileName.Text(name);
        for (; level is not null; level = level.Parent)
        {
            if (path.Length > Longest) return $"\"...{path}\"";
            path = $"/{FileName.Text(level.Name)}{path}";
        }

        return $"\"{path[1..]}\"";
    }
}
