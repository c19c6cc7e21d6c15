using Isolation.Linux;

namespace Isolation;

/// <summary>One side of a copy: a path, in the container's root, or on the host where there is no root.</summary>
internal sealed record FileCopySide(FileCalls Calls, FileDescriptor? Root, ContainerPath Path)
{
    /// <summary>A path from the root inside it, or of the host as any program would open it.</summary>
    /// <returns>A descriptor or -errno.</returns>
    internal nint Open(string path, int flags)
    {
        if (Root is not null) return Calls.Open(Root, FileName.Of(path), flags, 0, Abi.RESOLVE_IN_ROOT | Abi.RESOLVE_NO_MAGICLINKS);
        try
        {
            FileDescriptor file = FileDescriptor.Open(path, flags);
            nint number = file.Number;
            file.SetHandleAsInvalid();
            return number;
        }
        catch (LinuxException exception)
        {
            return -(int)exception.Errno;
        }
    }

    internal FileDescriptor OpenDirectory(string path) => ContainerFiles.Opened(Open(path, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY), path);
}

/// <summary>The rules of where a copy lies, those of cp(1): into a directory that is there, else under the name that is given.</summary>
internal static class FileCopy
{
    internal static void Run(TreeCopy copy, FileCopySide from, FileCopySide to)
    {
        string target = FullPath(to);
        nint existing = to.Open(target, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY);
        using FileDescriptor? into = Syscall.IsError(existing) ? null : new((int)existing);
        if (from.Path.Name is not { } name)
        {
            using FileDescriptor source = from.OpenDirectory(FullPath(from));
            if (into is not null)
            {
                copy.RunContents(source, into);
                return;
            }

            (FileDescriptor parent, byte[] newName) = Place(to, existing);
            using (parent) copy.Run(source, ".\0"u8.ToArray(), parent, newName);
            return;
        }

        using FileDescriptor directory = from.OpenDirectory(from.Path.Directory);
        if (from.Path.EndsInSlash)
        {
            // Follows a link as last component, and asks for a directory.
            using FileDescriptor source = from.OpenDirectory(FullPath(from));
            (FileDescriptor parent, byte[] newName) = into is not null ? (into, name) : Place(to, existing);
            using (parent) copy.Run(source, ".\0"u8.ToArray(), parent, newName);
            return;
        }

        (FileDescriptor place, byte[] asName) = into is not null ? (into, name) : Place(to, existing);
        using (place) copy.Run(directory, name, place, asName);
    }

    /// <summary>Where the destination is not a directory: its directory, and its name there.</summary>
    private static (FileDescriptor Directory, byte[] Name) Place(FileCopySide to, nint existing)
    {
        bool free = Syscall.Is(existing, Errno.ENOENT) || Syscall.Is(existing, Errno.ENOTDIR);
        if (!free || to.Path.Name is null) throw Syscall.Failure(existing, "open", $"\"{to.Path.Text}\"");
        return (to.OpenDirectory(to.Path.Directory), to.Path.Name);
    }

    private static string FullPath(FileCopySide side) =>
        side.Path.Name is { } name ? $"{side.Path.Directory}/{FileName.Text(name)}" : side.Path.Directory;
}
